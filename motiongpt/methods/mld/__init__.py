"""MLD (arXiv:2212.04048): diffusion of a motion codec's latents, told what to do by a text."""
