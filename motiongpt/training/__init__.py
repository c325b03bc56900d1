"""Training stages and the machinery they share."""
