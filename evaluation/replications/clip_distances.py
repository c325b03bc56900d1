"""How far one clip's output is from what it should be: which outputs to look at first.

Shape letters: N clips.
"""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from torch import Tensor

from evaluation.case import Case, recover_joints
from evaluation.metrics.base import MOTIONS, Kind
from evaluation.metrics.displacement import displacements
from evaluation.replications.embedder import Embedder
from evaluation.replications.judging import attempted
from motiongpt.data.clip import Caption

EMBEDDED: tuple[Kind, ...] = ("motion", "text")
"""Kinds of outputs that have many right answers."""


class ClipDistances(NamedTuple):
    """A number of each clip; less is better.

    Attributes:
        label: what is measured.
        unit: "" where it has none.
        values: (N,), NaN where a clip leaves nothing to measure.
    """

    label: str
    unit: str
    values: np.ndarray


def clip_distances(
    kind: Kind, cases: Sequence[Case], captions: Sequence[Caption], embedder: Embedder | None
) -> ClipDistances | None:
    """Of outputs that have one right answer the mean distance of joints over the frames that were
    not given (as ADE); of others that of embeddings, a motion's from its caption's or a sentence's
    from its motion's. None without an evaluator, or where it can't judge them.
    """
    if kind in MOTIONS and kind not in EMBEDDED:
        recover_joints(cases)
        values = [found.mean() if len(found := displacements(case)) else np.nan for case in cases]
        return ClipDistances("joint distance", "m", np.array(values, np.float64))
    if embedder is None or kind not in EMBEDDED:
        return None
    pairs, _ = attempted(partial(_embedded, kind, cases, captions, embedder))
    if pairs is None:
        return None
    one, other = pairs
    words = "sentence and motion" if kind == "text" else "motion and caption"
    return ClipDistances(f"distance of {words}", "", (one - other).norm(dim=-1).double().numpy())


def _embedded(
    kind: Kind, cases: Sequence[Case], captions: Sequence[Caption], embedder: Embedder
) -> tuple[Tensor, Tensor]:
    """Both sides (N, D); scoring has asked for them before, so nothing is computed anew."""
    if kind == "text":
        references = embedder.motions([case.reference for case in cases], keep=True)
        return embedder.sentences([case.text for case in cases]), references
    motions = embedder.motions([case.features for case in cases])
    return motions, embedder.sentences(captions, keep=True)
