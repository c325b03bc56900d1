"""Errors between joints of two motions, frame by frame, in millimetres.

Shapes: T frames, J joints; joints in metres. Formulas: MPJPE and PA-MPJPE as in Human3.6M's
protocols 1 and 2, acceleration error as in VIBE (Kocabas et al., 2020).
"""

from collections.abc import Callable

import torch
from torch import Tensor

from motiongpt.errors import UserError

Errors = Callable[[Tensor, Tensor], Tensor]
MILLIMETRES = 1000.0


def mpjpe(found: Tensor, wanted: Tensor, align_root: bool = True) -> Tensor:
    """Mean joint distance of each frame, (T,) mm, with the roots moved onto each other.

    Args:
        found, wanted: (T, J, 3).
        align_root: False compares positions in the world.
    """
    if align_root:
        found, wanted = found - found[:, :1], wanted - wanted[:, :1]
    return MILLIMETRES * (found - wanted).norm(dim=-1).mean(-1)


def pa_mpjpe(found: Tensor, wanted: Tensor) -> Tensor:
    """Mean joint distance of each frame, (T,) mm, after the best turn, scale and shift."""
    scale, rotation, shift = best_similarity(found, wanted)
    moved = scale[:, None, None] * found @ rotation.mT + shift[:, None]
    return MILLIMETRES * (moved - wanted).norm(dim=-1).mean(-1)


def acceleration_error(found: Tensor, wanted: Tensor) -> Tensor:
    """Mean distance of the joints' second differences, (T - 2,) mm a frame squared."""

    def acceleration(joints: Tensor) -> Tensor:
        return joints[:-2] - 2 * joints[1:-1] + joints[2:]

    return MILLIMETRES * (acceleration(found) - acceleration(wanted)).norm(dim=-1).mean(-1)


def best_similarity(found: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Scale (T,), rotation (T, 3, 3) and shift (T, 3) that take `found` nearest to `wanted`.

    Least squares after Umeyama (1991); the rotation never mirrors.
    """
    middle, goal = found.mean(1, keepdim=True), wanted.mean(1, keepdim=True)
    here, there = found - middle, wanted - goal
    u, sizes, v = torch.linalg.svd(here.mT @ there)
    sign = torch.ones_like(sizes)
    sign[:, -1] = torch.sign(torch.linalg.det(v.mT @ u.mT))
    rotation = (v.mT * sign[:, None]) @ u.mT
    spread = here.square().sum((1, 2)).clamp_min(torch.finfo(found.dtype).tiny)
    scale = (sizes * sign).sum(-1) / spread
    shift = goal[:, 0] - scale[:, None] * (rotation @ middle.mT)[..., 0]
    return scale, rotation, shift


ERRORS: dict[str, Errors] = {
    "mpjpe": mpjpe,
    "pa_mpjpe": pa_mpjpe,
    "acceleration_error": acceleration_error,
}


def errors_by_name(kind: str) -> Errors:
    """Errors of each frame, (T, J, 3) twice to (T,) or (T - 2,).

    Raises:
        UserError: no such kind; names the valid ones.
    """
    if kind not in ERRORS:
        raise UserError(f"joint error {kind}: no such kind; choose one of {', '.join(ERRORS)}")
    return ERRORS[kind]
