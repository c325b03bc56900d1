"""Reading what a model generated and joining it with what was given.

The right way keeps every code that was generated and puts the given codes in their place. The
released way is that of MotionGPT's code: a motion without an end is thrown away, marks are taken
for the last code, and the given part is not joined to its continuation.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from motiongpt.backbones.motion_vocabulary import MotionVocabulary
from motiongpt.methods.motiongpt.tasks.clip_tokens import Codes


class OutputReader(ABC):
    """Turns outputs into codes of whole motions."""

    joins: ClassVar[bool] = True
    """Whether composed motions hold what was given, in its place."""

    def __init__(self, vocabulary: MotionVocabulary) -> None:
        """Read the motion tokens of `vocabulary`."""
        self.vocabulary = vocabulary

    @abstractmethod
    def codes(self, output: str) -> Codes:
        """Codes (L,) of the first motion in `output`."""

    @abstractmethod
    def continued(self, start: Codes, output: Codes, tokens: int | None) -> Codes:
        """Join given first codes and their continuation; no longer than `tokens`, if given."""

    @abstractmethod
    def completed(self, head: Codes, output: Codes, tail: Codes, tokens: int | None) -> Codes:
        """Join given ends with the middle of an output that holds the whole motion."""


class RightReader(OutputReader):
    """Keeps what was generated; what was given stays as it was given."""

    def codes(self, output: str) -> Codes:
        """Codes between the marks, also where the end is missing; empty if there is no motion."""
        return self.vocabulary.read(output)

    def continued(self, start: Codes, output: Codes, tokens: int | None) -> Codes:
        """Given codes, then the output; shorter than `tokens` if the model stopped early."""
        return np.concatenate([start, output])[:tokens]

    def completed(self, head: Codes, output: Codes, tail: Codes, tokens: int | None) -> Codes:
        """Given head, the output's middle, given tail: `tokens` long, or as long as the output.

        Where the output is too short for the gap, the last code before the gap is held.
        """
        length = tokens if tokens is not None else max(len(output), len(head) + len(tail))
        end = max(length - len(tail), len(head))
        middle = output[len(head) : end]
        before = np.concatenate([head, middle])
        missing = end - len(before)
        if missing and len(before):
            before = np.concatenate([before, np.full(missing, before[-1], np.int64)])
        return np.concatenate([before, tail])


class ReleasedParsing(RightReader):
    """Reads outputs as the released code does (A9, A10), joins them the right way."""

    def codes(self, output: str) -> Codes:
        """Read MotionGPT's way: no end means code 0 alone, and marks become the last code."""
        codes = self.vocabulary.read(output, parsing="released")
        return np.clip(codes, 0, self.vocabulary.codebook_size - 1)


class ReleasedJoining(RightReader):
    """Leaves out what was given as the released code does (A7), reads the right way."""

    joins = False

    def continued(self, start: Codes, output: Codes, tokens: int | None) -> Codes:
        """The continuation alone, as if it began with the clip."""
        return output

    def completed(self, head: Codes, output: Codes, tail: Codes, tokens: int | None) -> Codes:
        """The output alone."""
        return output


class ReleasedReader(ReleasedParsing, ReleasedJoining):
    """The released code's way in both, for comparison with it."""
