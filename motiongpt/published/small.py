"""The small model, made of a quickstart by `python -m launch.small_model`, and where it lies."""

from pathlib import Path

SMALL = "small"
FOLDER = Path(__file__).with_name("small_model")
