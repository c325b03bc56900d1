"""T2M-GPT (arXiv:2301.06052): a causal transformer over the codes of a VQ-VAE, asked by a text."""
