"""What else the language model could be computed with, timed whether it helps or not."""
