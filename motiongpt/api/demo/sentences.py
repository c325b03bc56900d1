"""Sentences put to any method that makes motion of words."""

import warnings
from collections.abc import Sequence

from motiongpt.api.demo.batch import Outcome
from motiongpt.api.demo.lines import DemoLine
from motiongpt.api.model import Model
from motiongpt.api.understanding import FarFromTraining


def run_sentences(
    model: Model, sentences: Sequence[str], frames: int | None, seed: int
) -> list[Outcome]:
    """A motion of each sentence, all in one batched call.

    Raises:
        UserError: no sentence, or a method that makes no motion of words.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FarFromTraining)  # the command says it itself
        motions = model.text_to_motion(sentences, frames, seed=seed)
    return [
        Outcome(DemoLine(text, None, "t2m", True), prompt=text, motion=motion)
        for text, motion in zip(sentences, motions, strict=True)
    ]
