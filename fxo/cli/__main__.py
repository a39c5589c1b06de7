"""`python -m fxo.cli` is `fxo`."""

from fxo.cli import main

main(prog_name="fxo")
