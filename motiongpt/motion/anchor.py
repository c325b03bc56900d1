"""Moving a stretch of motion so that the body arrives where it is known to arrive.

Features hold speeds of the root, not positions: a generated middle drifts. Where the place and the
heading at its end are known, the error is spread evenly over its frames.
Shape letters: T frames, F features.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from motiongpt.motion.recover import recover_root
from motiongpt.motion.rotations import turn_about_y


def root_path(features: Tensor) -> tuple[Tensor, Tensor]:
    """Heading angle (T,) in radians, as the features accumulate it, and root position (T, 3) in
    metres of `features` (T, F)."""
    _, position = recover_root(features)
    speed = features[..., 0]
    heading = torch.cat([torch.zeros_like(speed[:1]), speed[:-1].cumsum(0)])
    return heading, position


def arrive(features: Tensor, first: int, last: int, heading: Tensor, place: Tensor) -> Tensor:
    """Correct root speeds of rows `first` … `last - 1` so that row `last` arrives as asked.

    Args:
        features: (T, F), not normalised.
        first, last: the stretch that may be changed; the rows before it stay as they are.
        heading: accumulated heading of row `last` (half the angle, as channel 0 counts it).
        place: (2,) x and z of the root at row `last`, metres.

    Returns:
        (T, F), a new tensor; only channels 0:3 of the stretch differ.
    """
    fixed = features.clone()
    count = last - first
    if count <= 0:
        return fixed
    found, _ = root_path(fixed)
    fixed[first:last, 0] += (heading - found[last]) / count
    rotation, position = recover_root(fixed)
    # Row i's speed carries the root from i to i + 1 and is given in the frame of row i + 1.
    error = torch.zeros(count, 3, dtype=fixed.dtype)
    error[:, 0::2] = (place - position[last, 0::2]) / count
    fixed[first:last, 1:3] += turn_about_y(rotation[first + 1 : last + 1], error)[:, 0::2]
    return fixed


def arrive_at(
    features: Tensor, first: int, last: int, heading: float, place: Sequence[float] | np.ndarray
) -> Tensor:
    """As `arrive`, by the shortest of all turns that end at `heading`.

    Features accumulate half the angle, so a heading that differs by pi is the same.

    Args:
        features, first, last: see `arrive`.
        heading: radians, half the turn, of row `last`.
        place: (2,) metres, x and z of the root there.
    """
    found = float(root_path(features)[0][last])
    nearest = heading + math.pi * round((found - heading) / math.pi)
    angle = torch.tensor(nearest, dtype=features.dtype)
    return arrive(features, first, last, angle, torch.as_tensor(place, dtype=features.dtype))
