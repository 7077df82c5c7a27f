"""Sound while it is made: blocks in, answers out every hop, and where blocks come from; nothing is decided here that a recording does not."""
