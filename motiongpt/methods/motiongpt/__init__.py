"""MotionGPT: a language model that reads and writes motion tokens beside words."""
