"""Kinds of outputs that are judged alike."""

from collections.abc import Mapping
from typing import Literal

from motiongpt.methods.base import INBETWEEN, MOTION_TO_TEXT, PREDICTION, TEXT_TO_MOTION

Kind = Literal["reconstruction", "motion", "samples", "text", "continuation", "inbetween"]
"""A motion coded and decoded, a free motion, several of one text, a sentence, the rest of a motion
whose start is given, the gap of one whose ends are given. Tables keep this order."""

KIND_OF_TASK: Mapping[str, Kind] = {
    TEXT_TO_MOTION: "motion",
    MOTION_TO_TEXT: "text",
    PREDICTION: "continuation",
    INBETWEEN: "inbetween",
}
"""What a method gives for requests of a task."""

OLD_NAMES: Mapping[str, Kind] = {"bridge": "inbetween"}
"""How predictions that were saved by earlier versions call them."""
