"""Services outside, built from their published references for the tests: strict, stateful, and able to fail on demand."""
