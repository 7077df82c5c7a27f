"""A season of recordings: what belongs together, located piece by piece; how one piece is located, nothing in here says."""
