"""Whose checkpoints can be turned into model folders: one file each."""
