"""Reading what a model wrote and joining it with what was given.

The right way keeps every code that was written and puts the given codes where they belong. The
released way is that of MotionGPT's code: a motion without an end is thrown away, marks are taken
for the last code, and the given part is not joined to its continuation.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from motiongpt.backbones.motion_vocabulary import MotionVocabulary
from motiongpt.methods.motiongpt.tasks.clip_tokens import Codes


class Replies(ABC):
    """Turns answers into codes of whole motions."""

    joins: ClassVar[bool] = True
    """Whether composed motions hold what was given, in its place."""

    def __init__(self, vocabulary: MotionVocabulary) -> None:
        """Read the motion tokens of `vocabulary`."""
        self.vocabulary = vocabulary

    @abstractmethod
    def codes(self, reply: str) -> Codes:
        """Codes (L,) of the first motion in `reply`."""

    @abstractmethod
    def continued(self, start: Codes, reply: Codes, tokens: int | None) -> Codes:
        """Join given first codes and their continuation; no longer than `tokens`, if given."""

    @abstractmethod
    def completed(self, head: Codes, reply: Codes, tail: Codes, tokens: int | None) -> Codes:
        """Join given ends with the middle of a reply that holds the whole motion."""


class RightReplies(Replies):
    """Keeps what was written; what was given stays as it was given."""

    def codes(self, reply: str) -> Codes:
        """Codes between the marks, also where the end is missing; empty if there is no motion."""
        return self.vocabulary.read(reply)

    def continued(self, start: Codes, reply: Codes, tokens: int | None) -> Codes:
        """Given codes, then the reply; shorter than `tokens` if the model stopped early."""
        return np.concatenate([start, reply])[:tokens]

    def completed(self, head: Codes, reply: Codes, tail: Codes, tokens: int | None) -> Codes:
        """Given head, the reply's middle, given tail: `tokens` long, or as long as the reply.

        Where the reply is too short for its place, the last code before the gap is held.
        """
        length = tokens if tokens is not None else max(len(reply), len(head) + len(tail))
        end = max(length - len(tail), len(head))
        middle = reply[len(head) : end]
        before = np.concatenate([head, middle])
        missing = end - len(before)
        if missing and len(before):
            before = np.concatenate([before, np.full(missing, before[-1], np.int64)])
        return np.concatenate([before, tail])


class ReleasedReading(RightReplies):
    """Reads answers as the released code does (A9, A10), joins them the right way."""

    def codes(self, reply: str) -> Codes:
        """Read MotionGPT's way: no end means code 0 alone, and marks become the last code."""
        written = self.vocabulary.read(reply, parsing="released")
        return np.clip(written, 0, self.vocabulary.codebook_size - 1)


class ReleasedJoining(RightReplies):
    """Leaves out what was given as the released code does (A7), reads the right way."""

    joins = False

    def continued(self, start: Codes, reply: Codes, tokens: int | None) -> Codes:
        """The continuation alone, as if it began with the clip."""
        return reply

    def completed(self, head: Codes, reply: Codes, tail: Codes, tokens: int | None) -> Codes:
        """The reply alone."""
        return reply


class ReleasedReplies(ReleasedReading, ReleasedJoining):
    """The released code's way in both, for comparison with it."""
