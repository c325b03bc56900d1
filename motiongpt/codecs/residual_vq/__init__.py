"""The residual VQ-VAE of MoMask (arXiv:2312.00063): several codebooks, one after another."""
