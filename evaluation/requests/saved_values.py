"""Values of saved predictions that another program may have written: of the types they must be?"""

from collections.abc import Mapping
from typing import Any

LARGEST = 2**53  # of a number


def wrong_in_description(about: Mapping[str, Any]) -> str:
    """The first value of an `about.json` that is of another type; empty where there is none."""
    for name, values in (
        ("task", [about["task"]]),
        ("fingerprint", [about["fingerprint"]]),
        ("clips", about["clips"]),
    ):
        if not isinstance(values, list) or not all(isinstance(one, str) for one in values):
            return f"{name}: expected text"
    for name, values, least in (
        ("frames", about["frames"], 1),
        ("samples", [about["samples"]], 1),
        ("seeds", about["seeds"], 0),
        ("given", [count for pair in about["given"] for count in pair], 0),
    ):
        if not isinstance(values, list) or not all(_is_count(one, least) for one in values):
            return f"{name}: expected whole numbers of at least {least}"
    return ""


def wrong_in_outputs(found: Mapping[str, Any]) -> str:
    """The same of a replication's .json, whose lists are as long as they must be."""
    for name in ("prompts", "texts"):
        if not all(isinstance(one, str) for one in found[name]):
            return f"{name}: expected texts"
    for name, least in (("captions", -1), ("lengths", 0)):
        if not all(_is_count(one, least) for one in found[name]):
            return f"{name}: expected whole numbers of at least {least}"
    return ""


def _is_count(value: object, least: int) -> bool:
    return type(value) is int and least <= value < LARGEST
