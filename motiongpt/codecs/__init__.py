"""Codecs: motion to latent and back, discrete and continuous."""
