"""What a typed sentence asks for: a new motion, or something with the last one.

The model reads descriptions of motion, not orders, so an order's own words are taken away.
"""

import re
from dataclasses import dataclass

from motiongpt.methods.base import INBETWEEN, MOTION_TO_TEXT, PREDICTION, TEXT_TO_MOTION

_IT = r"(?:it|this|that|the (?:last )?(?:motion|clip|one))"
_ASKS = (
    (MOTION_TO_TEXT, rf"(?:please )?(?:describe|caption) {_IT}\W*"),
    (MOTION_TO_TEXT, rf"what (?:is|does|happens in) (?:{_IT}|the person|happening)\b.*"),
    (PREDICTION, rf"(?:go on|continue)(?: {_IT})?(?:\W+(?:with\s+)?(?P<text>.*))?"),
    (PREDICTION, rf"(?:go on|continue) with (?:{_IT}\W*)?(?P<text>.*)"),
    (
        INBETWEEN,
        rf"(?:fill|complete)(?: in)?(?: (?:{_IT}|the middle))(?:\W+(?:with\s+)?(?P<text>.*))?",
    ),
)
_NOW = re.compile(r"(?:now|and now|the same,? but)\W+(?P<text>.+)", re.IGNORECASE)


@dataclass(frozen=True)
class Asked:
    """What a sentence asks for.

    Attributes:
        task: one of `motiongpt.methods.base`.
        text: a description of the motion; empty where nothing is said of it.
    """

    task: str
    text: str


def asked_by(sentence: str, last: str = "") -> Asked:
    """What a sentence asks for.

    Args:
        last: description of the last motion: "now faster" is said of it.
    """
    for task, pattern in _ASKS:
        if found := re.fullmatch(pattern, sentence, re.IGNORECASE):
            return Asked(task, (found.groupdict().get("text") or "").strip())
    if last and (found := _NOW.fullmatch(sentence)):
        return Asked(TEXT_TO_MOTION, f"{last.rstrip(' .')} {found['text']}")
    return Asked(TEXT_TO_MOTION, sentence)
