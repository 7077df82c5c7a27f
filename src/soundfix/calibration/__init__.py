"""Where microphones stand and how their clocks run, from a sound that moves: observations to findings; no text and no
picture."""
