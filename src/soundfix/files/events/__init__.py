"""Tables of sound events, one reader a format; nothing is located here."""
