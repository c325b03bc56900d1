"""Batched, constrained decoding for all tasks."""
