"""MotionGPT3 (arXiv:2506.24086): a language model whose hidden states steer a small diffusion."""
