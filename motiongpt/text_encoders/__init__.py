"""Frozen encoders of sentences: one file a kind, one yaml of conf/text_encoder a choice."""
