"""Methods against each other and against faults, on the same windows, as tables and pictures; nothing is trained
here."""
