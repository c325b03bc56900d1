"""What stands beside the model's answers: the real clips, chance, and what costs no learning."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from evaluation.baselines import hold_last_pose, interpolate_linear
from evaluation.case import Case

MODEL, REAL, CHANCE = "model", "real", "chance (another clip's)"
HOLD, LINEAR = "hold the last pose", "linear interpolation"


def methods(cases: Sequence[Case], seed: int) -> dict[str, list[Case]]:
    """Method -> answers to the same cases, the model's first.

    Completions are compared with the simplest continuation of what was given, free answers with
    the answer to another clip; the real clips always stand beside.
    """
    answers = {MODEL: list(cases), REAL: [_real(case) for case in cases]}
    if any(case.given.any() for case in cases):
        bridged = any(case.given[-1] for case in cases if len(case.given))
        answers[LINEAR if bridged else HOLD] = [_completed(case) for case in cases]
    else:
        answers[CHANCE] = _swapped(answers[REAL], seed)
    return answers


def _real(case: Case) -> Case:
    return replace(
        case,
        text=case.captions[0] if case.captions else "",
        features=case.reference,
        joints=case.reference_joints,
    )


def _swapped(real: Sequence[Case], seed: int) -> list[Case]:
    order = np.random.default_rng(seed).permutation(len(real))
    following = np.roll(order, 1)
    swapped: list[Case] = list(real)
    for mine, other in zip(order, following, strict=True):
        swapped[mine] = replace(
            real[mine],
            text=real[other].text,
            features=real[other].features,
            joints=real[other].joints,
        )
    return swapped


def _completed(case: Case) -> Case:
    joints, gap = case.reference_joints, np.flatnonzero(~case.given)
    first, last = int(gap[0]), int(gap[-1]) + 1
    if last < len(joints):
        middle = interpolate_linear(joints[:first], joints[last:], last - first)
    else:
        middle = hold_last_pose(joints[:first], last - first)
    whole = np.concatenate([joints[:first], middle, joints[last:]]).astype(np.float32)
    return replace(case, joints=whole, features=case.features[:0])
