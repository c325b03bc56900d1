"""What stands beside a method's outputs: the real clips, chance, and what costs no learning."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from evaluation.case import Case
from evaluation.metrics.base import Kind
from evaluation.replications.baselines import at_rest, hold_last_pose, interpolate_linear
from evaluation.replications.results import REAL
from motiongpt.motion.features import joints_to_features

CHANCE = "chance (another clip's)"
HOLD, LINEAR = "hold the last pose", "linear interpolation"
SHUFFLED, MEAN_POSE, HOLD_FIRST = "shuffled in time", "mean pose", "hold the first pose"
BATCH_SIZE = 64  # clips whose features are made together


def baselines(
    cases: Sequence[Case], kind: Kind, mean: np.ndarray, seed: int
) -> dict[str, list[Case]]:
    """Row -> outputs for the same cases; none for several motions of one text.

    Completions are compared with the simplest continuation of what was given, free outputs with
    the real one of another clip, a reconstruction with two motions that stand still, all motions
    with real frames in a random order, those that were given in their places; the real clips always
    stand beside.

    Args:
        mean: (F,) the mean pose.
        seed: of what is drawn.
    """
    if kind == "samples":
        return {}
    real = [_real(case) for case in cases]
    beside = {REAL: real}
    if kind == "continuation":
        beside[HOLD] = _completed(cases)
    elif kind == "inbetween":
        beside[LINEAR] = _completed(cases)
    elif kind == "reconstruction":
        beside[MEAN_POSE] = [_still(case, mean) for case in real]
        beside[HOLD_FIRST] = [
            _still(case, at_rest(case.reference[0], case.skeleton)) for case in real
        ]
    else:
        beside[CHANCE] = _swapped(real, seed)
    if kind != "text":
        beside[SHUFFLED] = _shuffled(real, seed)
    return beside


def _real(case: Case) -> Case:
    return replace(case, text=case.captions[0] if case.captions else "", features=case.reference)


def _still(case: Case, pose: np.ndarray) -> Case:
    return replace(case, features=np.repeat(pose[None], len(case.reference), axis=0))


def _shuffled(real: Sequence[Case], seed: int) -> list[Case]:
    """Frames that were not given in a random order, each with its velocities."""
    rng = np.random.default_rng(seed)
    shuffled = []
    for case in real:
        features, free = case.features.copy(), ~case.given
        features[free] = rng.permutation(features[free])
        shuffled.append(replace(case, features=features))
    return shuffled


def _swapped(real: Sequence[Case], seed: int) -> list[Case]:
    order = np.random.default_rng(seed).permutation(len(real))
    following = np.roll(order, 1)
    swapped: list[Case] = list(real)
    for mine, other in zip(order, following, strict=True):
        swapped[mine] = replace(real[mine], text=real[other].text, features=real[other].features)
    return swapped


def _completed(cases: Sequence[Case]) -> list[Case]:
    joints = [_completed_joints(case) for case in cases]
    found: list[Case] = []
    for first in range(0, len(cases), BATCH_SIZE):
        poses = joints[first : first + BATCH_SIZE]
        padded = torch.nn.utils.rnn.pad_sequence(
            [torch.from_numpy(one) for one in poses], batch_first=True
        )
        lengths = torch.tensor([len(one) for one in poses])
        features = joints_to_features(padded, cases[first].skeleton, lengths).numpy()
        found += [
            replace(case, known_joints=one, features=rows[: len(one) - 1])
            for case, one, rows in zip(
                cases[first : first + BATCH_SIZE], poses, features, strict=True
            )
        ]
    return found


def _completed_joints(case: Case) -> np.ndarray:
    joints, gap = case.reference_joints, np.flatnonzero(~case.given)
    first, last = int(gap[0]), int(gap[-1]) + 1
    if last < len(joints):
        middle = interpolate_linear(joints[:first], joints[last:], last - first)
    else:
        middle = hold_last_pose(joints[:first], last - first)
    return np.concatenate([joints[:first], middle, joints[last:]]).astype(np.float32)
