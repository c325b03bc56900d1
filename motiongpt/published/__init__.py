"""Models that are passed on: folders, checkpoints of others, the hub."""
