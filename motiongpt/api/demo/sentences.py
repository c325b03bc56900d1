"""Sentences put to any method that makes motion of words."""

import warnings
from collections.abc import Sequence

from motiongpt.api.demo.batch import Outcome
from motiongpt.api.demo.lines import DemoLine
from motiongpt.api.model import Model
from motiongpt.api.understanding import FarFromTraining
from motiongpt.errors import UserError
from motiongpt.methods.base import TEXT_TO_MOTION


def run_sentences(
    model: Model, sentences: Sequence[str | UserError], frames: int | None, seed: int
) -> list[Outcome]:
    """A motion of each sentence, all in one batched call.

    Args:
        sentences: as they were read, or why they could not be.

    Raises:
        UserError: a method that makes no motion of words, or a seed or a length that it can't take.
    """
    model.check(TEXT_TO_MOTION)
    good = [text for text in sentences if isinstance(text, str)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FarFromTraining)  # the command says it itself
        motions = iter(model.text_to_motion(good, frames, seed=seed) if good else ())
    return [
        Outcome(DemoLine(text, None, "t2m", True), prompt=text, motion=next(motions))
        if isinstance(text, str)
        else Outcome(problem=str(text))
        for text in sentences
    ]
