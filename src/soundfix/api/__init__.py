"""The library does what the command does, one call each: requests and their results; nothing is decided or drawn here."""
