"""Pictures and one page of an evaluation, so that a person can judge it."""
