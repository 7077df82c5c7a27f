"""Training a network: `loop` from top to bottom, and what it is made of; nothing is located for a user here."""
