"""Sound while it is made: blocks in, answers out every hop; nothing is decided that a recording would not decide."""
