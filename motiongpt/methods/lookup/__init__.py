"""Lookup: a method that copies from the training split, as the yardstick of the others."""
