"""Quantizers: a latent vector to the nearest code, and how the codebook learns."""
