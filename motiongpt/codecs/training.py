"""Where the stages that train a codec leave it."""

MODEL = "model"
"""Folder of the trained codec within a run; `load_codec` opens it."""
