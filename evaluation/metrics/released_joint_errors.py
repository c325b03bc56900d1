"""Joint errors as MotionGPT's released code computes them on padded batches (C5, C6 of the audit).

Only for comparison with its numbers; `joint_errors` and `displacement` are the right way. Shapes:
B clips, T frames of the longest, J joints in metres; what lies beyond a clip's length is padding.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from evaluation.metrics.joint_errors import acceleration_error, mpjpe, pa_mpjpe

Frames = Callable[[int], slice]
PREDICTION_GIVEN = 0.2  # of a clip, at its start
INBETWEEN_GIVEN = 0.25  # of a clip, at either end


def padded_joint_errors(found: Tensor, wanted: Tensor, lengths: Tensor) -> dict[str, Tensor]:
    """Errors of (B, T, J, 3), lengths (B,): sums over all frames over the number of valid ones.

    Returns:
        mpjpe, pa_mpjpe in mm; acceleration_error in mm a frame squared.
    """
    n_frames, n_clips = lengths.sum(), len(lengths)
    rows = list(zip(found, wanted, strict=True))
    sums = {
        errors: torch.stack([errors(*row).sum() for row in rows]).sum()
        for errors in (mpjpe, pa_mpjpe, acceleration_error)
    }
    return {
        "mpjpe": sums[mpjpe] / n_frames,
        "pa_mpjpe": sums[pa_mpjpe] / n_frames,
        "acceleration_error": sums[acceleration_error] / (n_frames - 2 * n_clips),
    }


def displacement_errors(
    found: Tensor, wanted: Tensor, lengths: Tensor, written: Frames
) -> dict[str, Tensor]:
    """ADE and FDE in metres as means over clips of the norm over all 3 J numbers of a pose.

    Args:
        found, wanted: (B, T, J, 3).
        lengths: (B,) frames.
        written: which frames of a clip of so many the model wrote, such as `to_padded_end`.

    Returns:
        ade, fde; and apd, which the released code reports but never adds to: 0.
    """
    distances = (found - wanted).flatten(2).norm(dim=-1)
    of_clips = [
        row[written(length)] for row, length in zip(distances, lengths.tolist(), strict=True)
    ]
    return {
        "ade": torch.stack([row.mean() for row in of_clips]).mean(),
        "fde": torch.stack([row[-1] for row in of_clips]).mean(),
        "apd": torch.zeros(()),
    }


def to_padded_end(length: int) -> slice:
    """Prediction as released: from what was given to the end of the padded batch."""
    return slice(int(length * PREDICTION_GIVEN), None)


def to_own_end(length: int) -> slice:
    """Prediction without the padding."""
    return slice(int(length * PREDICTION_GIVEN), length)


def in_between(length: int) -> slice:
    """In-betweening: all but what was given at the ends; no padding as released either."""
    given = int(length * INBETWEEN_GIVEN)
    return slice(given, length - given)
