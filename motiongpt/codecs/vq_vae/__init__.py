"""The VQ-VAE of MotionGPT and T2M-GPT: network, losses, training."""
