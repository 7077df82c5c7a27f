"""Sets of scenes with truth: simulated, recorded, or sounds played through measured rooms; no torch, and no method."""
