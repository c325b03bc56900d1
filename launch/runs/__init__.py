"""Runs: the folders of stages, who may write them, and the code that does."""
