"""The VQ-VAE of TM2T (arXiv:2207.01696), another motion tokenizer."""
