"""The tasks: each owns its prompts, its parsing and the names of its metrics."""
