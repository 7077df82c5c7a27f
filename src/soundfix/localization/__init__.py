"""From one window of sound to one answer, box by box; no network, no file, and no memory of earlier windows."""
