"""English for captions: numbers, adverbs, verb forms, subjects, and sentences made of them.

A phrase is a template such as "<walk> forward with {their} arms up": verbs stand in angle
brackets, the possessive of the person in braces.
"""

import re
from collections.abc import Sequence

import numpy as np

_NUMBERS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
]
_SUBJECTS = (
    ("a person", "their"),
    ("the person", "their"),
    ("someone", "their"),
    ("a man", "his"),
    ("the man", "his"),
    ("a woman", "her"),
    ("a figure", "their"),
    ("a human", "their"),
)
# Verbs whose present or progressive form follows no rule here.
_PRESENT = {"do": "does", "go": "goes", "have": "has", "be": "is"}
_PROGRESSIVE = {
    verb: verb + verb[-1] + "ing"
    for verb in (
        "run",
        "sit",
        "squat",
        "step",
        "sidestep",
        "hop",
        "clap",
        "put",
        "get",
        "jog",
        "spin",
    )
}
_SPEEDS = {
    "slow": ("slowly", "at a slow pace", "slowly", "at a leisurely pace"),
    "normal": ("", "at a normal pace", "", ""),
    "fast": ("quickly", "fast", "at a fast pace", "rapidly"),
}


def present(verb: str) -> str:
    """Third person singular: "walk" gives "walks"."""
    if verb in _PRESENT:
        return _PRESENT[verb]
    return verb + ("es" if verb.endswith(("s", "sh", "ch", "x", "z")) else "s")


def progressive(verb: str) -> str:
    """Present participle: "take" gives "taking"."""
    if verb in _PROGRESSIVE:
        return _PROGRESSIVE[verb]
    return (verb[:-1] if verb.endswith("e") and not verb.endswith("ee") else verb) + "ing"


class Words:
    """Draws one of several ways to say a thing; the same generator gives the same words."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng

    def pick(self, *choices: str) -> str:
        """One of the choices, each as likely."""
        return choices[int(self._rng.integers(len(choices)))]

    def number(self, count: int) -> str:
        """ "three" or, less often, "3"."""
        return str(count) if self._rng.random() < 0.25 else _NUMBERS[count]

    def count(self, count: int, noun: str) -> str:
        """ "one step", "3 steps"."""
        return f"{self.number(count)} {noun}" + ("" if count == 1 else "s")

    def times(self, count: int) -> str:
        """ "once", "twice", "three times", "4 times"."""
        if count == 1:
            return self.pick("once", "one time")
        if count == 2:
            return self.pick("twice", "two times")
        return f"{self.number(count)} times"

    def speed(self, speed: str) -> str:
        """An adverb for "slow", "normal" or "fast"; may be empty for "normal"."""
        return self.pick(*_SPEEDS[speed])

    def metres(self, distance: float) -> str:
        """ "about two and a half meters": rounded to half metres."""
        halves = max(1, round(2.0 * distance))
        whole, half = divmod(halves, 2)
        if whole == 0:
            return self.pick("about half a meter", "half a meter")
        if half == 0:
            return self.pick("about ", "") + self.count(whole, "meter")
        if self._rng.random() < 0.3:
            return f"about {whole}.5 meters"
        return self.pick("about ", "") + f"{_NUMBERS[whole]} and a half meters"

    def sentence(self, phrases: Sequence[str]) -> str:
        """One sentence in which one person does these things one after the other."""
        subject, possessive = _SUBJECTS[int(self._rng.integers(len(_SUBJECTS)))]
        continuous = len(phrases) == 1 and self._rng.random() < 0.25
        told = [_conjugated(phrase, continuous) for phrase in phrases]
        start = f"{subject} is" if continuous else subject
        if len(told) == 1:
            text = f"{start} {told[0]}"
        else:
            link = self.pick(" and then ", ", then ", " before ", " then ")
            if link == " before ":
                told[1] = _conjugated(phrases[1], True)
            first = "first " if link != " before " and self._rng.random() < 0.15 else ""
            text = f"{start} {first}{told[0]}{link}{told[1]}"
        text = text.replace("{their}", possessive)
        return re.sub(r"\s+", " ", text).replace(" ,", ",").strip() + self.pick("", ".")


def _conjugated(phrase: str, continuous: bool) -> str:
    form = progressive if continuous else present
    return re.sub(r"<(\w+)>", lambda match: form(match[1]), phrase)
