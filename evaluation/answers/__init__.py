"""What a model is asked and what it answered: written once, saved, scored later."""
