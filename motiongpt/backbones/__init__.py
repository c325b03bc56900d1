"""Language models and the motion vocabulary they share."""
