"""Kernels on sound, in PyTorch: correlation, coherence, log-mel spectra; they know tensors, and no scene, file or
network."""
