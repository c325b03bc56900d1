"""The VAE of MLD: a whole clip as one latent vector, by a transformer with long skips."""
