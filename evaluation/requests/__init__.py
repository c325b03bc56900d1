"""Requests, built of the store and the protocol alone, and predictions, the saved outputs."""
