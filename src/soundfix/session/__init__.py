"""A whole recording, window by window, with a memory of its microphones; no file is read or written here."""
