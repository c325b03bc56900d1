"""Sweeps: what was asked for, what is missing and why, and the table at the end."""
