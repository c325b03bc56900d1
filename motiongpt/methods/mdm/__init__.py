"""MDM (arXiv:2209.14916): diffusion of the motion's features themselves, told what by a text."""
