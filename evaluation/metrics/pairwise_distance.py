"""APD: how far the several motions generated for one request are from each other.

Source: average pairwise distance after Yuan & Kitani (DLow, 2020). They take the norm over all
coordinates of all frames at once, which grows with the length and the number of joints; here, as
in ADE, a distance is the mean over frames and joints, in metres.
Shape letters: S motions of one request, T frames, J joints.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

import numpy as np
import torch

from evaluation.case import Case, Scorers
from evaluation.metrics.base import Kind
from evaluation.metrics.clip_metric import Shares, SummedMetric
from evaluation.metrics.numbers import Number, Size
from motiongpt.errors import UserError


class PairwiseDistance(SummedMetric):
    """Mean over requests of the mean distance of all pairs of a request's motions, metres.

    A batch holds the motions of one clip after one another, with the same name; its positions are
    those of the clips. Frames that were given don't count; a motion that ends early holds its last
    pose until the longest of its clip has ended. Clips with fewer than two motions are left out,
    and so are motions without frames.
    """

    numbers: Mapping[str, Number] = {"apd": Number("m", "higher")}
    kinds: frozenset[Kind] = frozenset({"samples"})

    def shortage(self, size: Size) -> str:
        """See `Metric.shortage`."""
        return _too_few(size.samples)

    def of_batch(self, cases: Sequence[Case], scorers: Scorers) -> Iterator[tuple[str, Shares]]:
        """One mean distance for each clip."""
        for name, group in groupby(cases, key=lambda case: case.name):
            samples = [case for case in group if len(case.features)]
            if len(samples) < 2:
                yield name, {}
                continue
            yield name, {"apd": (pairwise_distance(_generated(samples)), 1)}


def pairwise_distance(motions: np.ndarray) -> float:
    """Mean joint distance of all pairs of motions (S, T, J, 3), metres.

    Raises:
        UserError: fewer than two motions.
    """
    if short := _too_few(len(motions)):
        raise UserError(short)
    positions = torch.from_numpy(motions).flatten(1, 2).transpose(0, 1)
    distances = torch.cdist(positions, positions, compute_mode="donot_use_mm_for_euclid_dist")
    # The diagonal is 0, and each pair is there twice.
    pairs = len(motions) * (len(motions) - 1)
    return float(distances.double().sum() / (len(distances) * pairs))


def _too_few(motions: int) -> str:
    if motions >= 2:
        return ""
    return (
        f"APD needs 2 motions of each clip, there are {motions}; generate more, by "
        "protocol.requests.multimodality.samples=2"
    )


def _generated(samples: Sequence[Case]) -> np.ndarray:
    """Joints (S, T, J, 3) of the frames that were not given, as long as the longest motion."""
    frames = max(len(case.joints) for case in samples)
    given = samples[0].given[:frames]
    wanted = np.concatenate([~given, np.ones(frames - len(given), bool)])
    held = [
        np.concatenate([case.joints, np.repeat(case.joints[-1:], frames - len(case.joints), 0)])
        for case in samples
    ]
    return np.stack(held)[:, wanted]
