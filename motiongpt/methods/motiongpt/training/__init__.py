"""Stages 2 and 3 of MotionGPT, and the tokens that they learn from."""
