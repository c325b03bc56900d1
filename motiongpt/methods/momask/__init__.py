"""MoMask (arXiv:2312.00063): codes filled in where they are masked, codebook after codebook."""
