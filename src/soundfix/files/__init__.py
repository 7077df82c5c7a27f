"""Recordings, lists of microphones and answers on disk."""
