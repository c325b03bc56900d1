"""Metrics, evaluators, protocols and results."""
