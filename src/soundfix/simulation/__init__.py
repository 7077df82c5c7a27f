"""Sound in rooms by formula: image method, talkers, noise, worlds, faults; numpy alone, no torch, and no data set."""
