"""Companies outside, as far as tests need them: strict, over HTTP, told how to fail. The product never imports them."""
