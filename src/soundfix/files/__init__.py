"""What is read from disk: recordings, lists of microphones, scenes; nothing is located here, and answers are written
by `report`."""
