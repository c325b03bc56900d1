"""The small model that comes along, so that there is an output before there is a training."""

from pathlib import Path

SMALL = "small"
FOLDER = Path(__file__).with_name("small_model")
