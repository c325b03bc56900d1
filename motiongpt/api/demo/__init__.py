"""Files of prompts, one a line, as MotionGPT's demo reads them: asked in one batch."""
