"""MotionGPT: a language model that reads and generates motion tokens beside words."""
