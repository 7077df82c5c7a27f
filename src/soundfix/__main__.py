"""`python -m soundfix` is the command `soundfix`."""

from soundfix.cli import main

main()
