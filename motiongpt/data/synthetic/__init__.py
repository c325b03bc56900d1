"""Synthetic motion: a body, actions that move it, and sentences that say what it does."""

from motiongpt.data.synthetic.source import SyntheticSource

__all__ = ["SyntheticSource"]
