"""What a sentence of the synthetic data claims: actions in their order, and what it says of each.

Only what is said is a claim: "a person kicks twice" has no side, "turns slightly" has no angle.
The sentences are those of `motiongpt.data.synthetic`, whose motions are true to them by
construction; words of other data, where nobody knows what is true, are not read.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evaluation.metrics.action_words import named_actions
from motiongpt.data.synthetic.action import discover

_SPELLED = (
    *("one", "two", "three", "four", "five", "six"),
    *("seven", "eight", "nine", "ten", "eleven", "twelve"),
)
_NUMBERS = {word: float(value) for value, word in enumerate(_SPELLED, 1)}
_NUMBER = rf"\d+(?:\.\d+)?|{'|'.join(_NUMBERS)}"
_REPEATED = "times?|steps?|kicks?|hops?|lunges?|jumps?|squats?|bends?|punch(?:es)?|sips?|bows?"

_LINK = re.compile(r",? and then |,? then | before ")
_SIDE = re.compile(r"\b(left|right|both(?= arms)|counterclockwise|clockwise)\b")
_SIDES = {"counterclockwise": "left", "clockwise": "right"}
# "the left one" of two fists is no number
_TIMES = re.compile(rf"(?<!left )(?<!right )\b({_NUMBER})(?: [a-z]+){{0,2}}? (?:{_REPEATED})\b")
_ONCE = re.compile(r"\bonce\b|\ba (?:slight |deep )?(?:sip|punch|bow)\b")
_TWICE = re.compile(r"\btwice\b")
_HALF_METRE = re.compile(r"\bhalf a meter\b")
_METRES = re.compile(rf"\b({_NUMBER})( and a half)? meters?\b")
_DEGREES = re.compile(r"\b(\d+) degrees\b")
_TURNS = {r"\bquarter turn\b": 90.0, r"\bturn\w* around\b": 180.0, r"\bfull circle\b": 360.0}

Words = Mapping[str, Sequence[str]]
"""Label -> regular expressions of which one is found in every phrase of that action."""


@dataclass(frozen=True)
class Claim:
    """One action of a sentence, and what the sentence says of it; None is not said.

    Attributes:
        action: its label.
        side: left, right or both.
        count: repetitions; of walks and marches, steps.
        metres: from its first place to its last.
        degrees: of a turn.
    """

    action: str
    side: str | None = None
    count: int | None = None
    metres: float | None = None
    degrees: float | None = None


def unreadable(action_words: Words, measured: frozenset[str]) -> str:
    """Why captions of data with these words for its actions can't be read; empty where they can.

    Args:
        measured: labels of the actions that can be recognised in a motion.
    """
    known = {label: tuple(action.words) for label, action in discover().items()}
    if not action_words:
        return "the data names no actions; data=synthetic does"
    for label, patterns in action_words.items():
        if known.get(label) != tuple(patterns):
            return (
                f"{label!r} is not an action of the synthetic data; only its captions "
                "(data=synthetic) are true by construction"
            )
        if label not in measured:
            return f"nothing measures {label!r} in a motion; mend evaluation/metrics/instructions"
    return ""


def read(caption: str, action_words: Words) -> tuple[Claim, ...]:
    """The claims of a sentence in their order, one or two; none where it can't be read.

    Args:
        action_words: of the synthetic data.
    """
    text = caption.lower()
    for link in _LINK.finditer(text):
        halves = text[: link.start()], text[link.end() :]
        named = [named_actions(half, action_words) for half in halves]
        if all(len(labels) == 1 for labels in named):
            pairs = zip(halves, named, strict=True)
            return tuple(_claim(half, *labels) for half, labels in pairs)
    labels = named_actions(text, action_words)
    return (_claim(text, *labels),) if len(labels) == 1 else ()


def _claim(phrase: str, action: str) -> Claim:
    # "holds the left foot behind and hops on the right one": the last is the one that acts
    sides = _SIDE.findall(phrase)
    return Claim(
        action,
        side=_SIDES.get(sides[-1], sides[-1]) if sides else None,
        count=_count(phrase),
        metres=_metres(phrase),
        degrees=_degrees(phrase) if action == "turn" else None,
    )


def _count(phrase: str) -> int | None:
    if _ONCE.search(phrase):
        return 1
    if _TWICE.search(phrase):
        return 2
    told = _TIMES.search(phrase)
    return int(_value(told[1])) if told else None


def _metres(phrase: str) -> float | None:
    if _HALF_METRE.search(phrase):
        return 0.5
    told = _METRES.search(phrase)
    return _value(told[1]) + (0.5 if told[2] else 0.0) if told else None


def _degrees(phrase: str) -> float | None:
    told = _DEGREES.search(phrase)
    if told:
        return float(told[1])
    return next((angle for words, angle in _TURNS.items() if re.search(words, phrase)), None)


def _value(number: str) -> float:
    return _NUMBERS.get(number) or float(number)
