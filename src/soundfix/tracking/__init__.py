"""Places in turn: one source over time; it sees estimates, never sound."""
