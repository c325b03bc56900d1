"""Which part of a clip a completion task gives, as tokens and as frames.

The tokens stage encodes the frames of each view alone; the tasks and the evaluation ask here where
a view begins and ends. Shape letters: L tokens, T frames.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from motiongpt.errors import UserError
from motiongpt.methods.motiongpt.tasks.clip_tokens import WHOLE

PREDICTION_GIVEN = "prediction_given"
INBETWEEN_HEAD = "inbetween_head"
INBETWEEN_TAIL = "inbetween_tail"


# 0.2 * 15 is 3.0000000000000004 and (1 - 0.8) * 5 is 0.9999999999999998: both mean a whole number.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class View:
    """A part of every clip, from `start` to `end` as shares of its length in tokens."""

    name: str
    start: float
    end: float

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end <= 1:
            raise UserError(
                f"view {self.name}: [{self.start}, {self.end}] is no part of a clip; give two "
                "shares with 0 <= start < end <= 1"
            )

    def token_range(self, tokens: int) -> tuple[int, int]:
        """First token and the one after the last, for a clip of `tokens` tokens.

        Partial tokens are not given: the length is rounded down, but is at least one token. A
        view that reaches the clip's end is counted from the end, so that a first and a last
        quarter have equal lengths.

        Raises:
            UserError: the clip has no token.
        """
        if tokens < 1:
            raise UserError(f"view {self.name}: a clip shorter than one token; leave it out")
        length = max(1, math.floor((self.end - self.start) * tokens + _ROUNDING))
        if self.end == 1:
            return tokens - length, tokens
        first = min(math.floor(self.start * tokens + _ROUNDING), tokens - length)
        return first, first + length

    def frame_range(self, frames: int, frames_per_token: int) -> tuple[int, int]:
        """First frame and the one after the last, for a clip of `frames` frames."""
        first, last = self.token_range(frames // frames_per_token)
        return first * frames_per_token, last * frames_per_token


def views_from(ranges: Mapping[str, Sequence[float]]) -> tuple[View, ...]:
    """Views of a config mapping name -> [start, end].

    Raises:
        UserError: not two numbers, no part of a clip, or the name "whole".
    """
    views = []
    for name, shares in ranges.items():
        if len(shares) != 2:
            raise UserError(f"view {name}: {list(shares)} is not [start, end]; give two shares")
        if name == WHOLE:
            raise UserError(f"view {name}: that name is the clip itself; choose another")
        views.append(View(name, float(shares[0]), float(shares[1])))
    return tuple(views)
