"""What is written and drawn: text, JSON, CSV, pictures; nothing is decided here."""
