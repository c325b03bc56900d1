"""Mean and standard deviation of the features, the way HumanML3D computes them.

F features: root 4, positions 3 (J - 1), rotations 6 (J - 1), velocities 3 J, contacts 4.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Protocol, runtime_checkable

import numpy as np

from motiongpt.errors import UserError
from motiongpt.motion.skeleton import Skeleton

# Less than any group of moving features has (HumanML3D's least is .013): it only keeps a group
# that never changes, as in a data set without any turn, from a division by zero.
MINIMUM_STD = 1e-4

# MotionGPT's std.npy is HumanML3D's with the root's and the contacts' channels divided by about
# 25 (measured on the two published files: 25.1 and 25.3).
EMPHASIS = 25.0

Clips = Callable[[], Iterable[np.ndarray]]
"""Gives features (T, F) of each clip, every time that it is called."""


@runtime_checkable
class PublishedStatistics(Protocol):
    """A source whose data set comes with the mean and std that the field normalises with."""

    def published_statistics(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Mean and std, (F,) each, in the units of the clips; None where the files are absent."""
        ...


def published_statistics(source: object) -> tuple[np.ndarray, np.ndarray] | None:
    """Mean and std, (F,) each, that the data set of `source` is published with, if it is.

    Raises:
        UserError: they are there, but can't be used.
    """
    return source.published_statistics() if isinstance(source, PublishedStatistics) else None


def channel_groups(skeleton: Skeleton) -> tuple[slice, ...]:
    """Channels that share one std.

    Turn, root xz, height, positions, rotations, velocities, contacts, as in HumanML3D's
    cal_mean_variance.
    """
    joints = skeleton.n_joints
    bounds = np.cumsum([0, 1, 2, 1, 3 * (joints - 1), 6 * (joints - 1), 3 * joints, 4])
    return tuple(slice(int(a), int(b)) for a, b in pairwise(bounds))


def mean_and_std(clips: Clips, skeleton: Skeleton) -> tuple[np.ndarray, np.ndarray]:
    """Mean and std over all frames of all clips, each (F,) float32.

    The std is averaged within each group of `channel_groups` (HumanML3D, cal_mean_variance) and
    is at least `MINIMUM_STD`.

    Args:
        clips: called twice, yields features (T, F); two passes in float64 keep small deviations
            of large means.
    """
    mean, variance = _moments(clips, skeleton)
    return mean.astype(np.float32), _grouped(np.sqrt(variance), skeleton)


def joint_mean_and_std(
    sources: Sequence[tuple[Clips, float]], skeleton: Skeleton
) -> tuple[np.ndarray, np.ndarray]:
    """As `mean_and_std`, of frames of several sources in given shares.

    Args:
        sources: the clips of each, as for `mean_and_std`, and its share of the frames.
    """
    moments = [_moments(clips, skeleton) for clips, _ in sources]
    shares = np.array([share for _, share in sources]) / sum(share for _, share in sources)
    means, variances = (np.stack(column) for column in zip(*moments, strict=True))
    mean = shares @ means
    variance = shares @ (variances + np.square(means - mean))
    return mean.astype(np.float32), _grouped(np.sqrt(variance), skeleton)


def _moments(clips: Clips, skeleton: Skeleton) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance over all frames, (F,) float64 each."""
    total, frames = np.zeros(skeleton.n_features), 0
    for features in clips():
        total += features.sum(0, dtype=np.float64)
        frames += len(features)
    mean = total / frames
    squares = np.zeros(skeleton.n_features)
    for features in clips():
        squares += np.square(features - mean).sum(0)
    return mean, squares / frames


def _grouped(std: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """The std (F,) float32, one for the channels of each group."""
    for group in channel_groups(skeleton):
        std[group] = max(float(std[group].mean()), MINIMUM_STD)
    return std.astype(np.float32)


def plain(std: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """HumanML3D's own std."""
    return std


def emphasised(std: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """MotionGPT's weighting (protocols B11): root and contacts count 25 times as much."""
    groups = channel_groups(skeleton)
    weighted = std.copy()
    for group in (*groups[:3], groups[-1]):
        weighted[group] /= EMPHASIS
    return weighted


NORMALISATIONS: dict[str, Callable[[np.ndarray, Skeleton], np.ndarray]] = {
    "humanml3d": plain,
    "motiongpt": emphasised,
}


def weighted_std(std: np.ndarray, skeleton: Skeleton, normalisation: str) -> np.ndarray:
    """The std (F,) that `normalisation` divides by.

    Raises:
        UserError: no normalisation of this name.
    """
    if normalisation not in NORMALISATIONS:
        known = ", ".join(NORMALISATIONS)
        raise UserError(f"unknown normalisation {normalisation!r}; choose one of: {known}")
    return NORMALISATIONS[normalisation](std, skeleton)
