"""TM2T (arXiv:2207.01696): a VQ-VAE's codes translated into words, and words into codes."""
