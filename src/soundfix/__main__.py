"""`python -m soundfix` is the command `soundfix`."""

from soundfix.cli.app import main

main()
