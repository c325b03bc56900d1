"""Loggers: what W&B, TensorBoard and CSV files are told."""
