"""Using a trained model from Python: `from motiongpt import Motion, MotionGPT`."""
