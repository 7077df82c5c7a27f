"""Words -> calls: the command `soundfix`; nothing is computed here that a library call does not do."""
