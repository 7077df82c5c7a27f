"""The networks, as tensors in and tensors out: the paper's figure, checkpoints, every kind by name; no scene and no
estimate."""
