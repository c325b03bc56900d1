"""Cards of judges: what evaluators and classifiers of actions make of changed motion."""

CARD = "card"
"""Name of its files, without an ending."""
