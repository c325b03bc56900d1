"""The tasks: each owns its prompts and its parsing."""
