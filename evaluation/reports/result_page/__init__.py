"""The page of an evaluation: motion to turn and play, and numbers beside it."""
