"""How ACTOR's data sets turn poses and joints into the network's input, checked on golden vectors.

The library's features are HumanML3D's, so this lies with the checks. Shapes: T frames; an item is
(rows, numbers, T).
"""

import random
import re
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tests.golden.actor_body import matrix_from_axis_angle
from tests.golden.codec_checks import OUTPUT, Arrays


def check_items(case: str, arrays: Arrays, report: Any) -> None:
    """Every clip in every representation, whole and at a fixed number of frames."""
    for name in [one for one in arrays if one.startswith("out/all/")]:
        kind, clip = name.removeprefix("out/all/").split("/")
        found = _item(kind, *_clip(arrays, clip))
        report.compare(case, name, found, arrays[name], atol=OUTPUT)
    frames = int(arrays["in/num_frames"])
    for name in [one for one in arrays if one.startswith("out/fixed/")]:
        clip, seed = name.removeprefix("out/fixed/").split("_seed")
        poses, joints = _clip(arrays, clip)
        indices, shift = fixed_frames(len(poses), frames, random.Random(int(seed)))
        kind = _kind_of(arrays[name], poses, joints, indices)
        report.compare(
            case, name, _item(kind, poses, joints)[..., indices], arrays[name], atol=OUTPUT
        )
        shifts = f"out/fixed_shift/{clip}_seed{seed}"
        if shifts in arrays:
            report.exact(case, shifts, shift, int(arrays[shifts]))
        else:
            report.exact(case, f"{name}: no room to shift", len(poses) <= frames, True)


def fixed_frames(length: int, frames: int, draws: random.Random) -> tuple[list[int], int]:
    """Which frames of a clip of `length` make an item of `frames`, and where they begin.

    A short clip holds its last frame. The start is drawn up to the last but one, so that the last
    window is only used where it is the only one.
    """
    if length <= frames:
        return [min(index, length - 1) for index in range(frames)], 0
    shift = draws.randint(0, max(0, length - frames - 1))
    return list(range(shift, shift + frames)), shift


def _clip(arrays: Arrays, clip: str) -> tuple[Tensor, Tensor]:
    return (
        torch.from_numpy(arrays[f"in/poses{clip}"]),
        torch.from_numpy(arrays[f"in/joints3D{clip}"]),
    )


def _item(kind: str, poses: Tensor, joints: Tensor) -> Tensor:
    """One clip, whole, in the representation that the file's names call `kind`."""
    if kind == "xyz":
        return (joints - joints[:1, :1]).permute(1, 2, 0).float()
    match = re.fullmatch(r"(\w+)_glob([01])_tr([01])", kind)
    assert match, kind
    rows = REPRESENTATIONS[match[1]](poses.unflatten(1, (-1, 3)))
    if match[2] == "0":
        rows = rows[:, 1:]
    if match[3] == "1":
        moved = joints[:, 0] - joints[0, 0]
        last = rows.new_zeros(len(rows), 1, rows.shape[2])
        last[:, 0, :3] = moved
        rows = torch.cat((rows, last), dim=1)
    return rows.permute(1, 2, 0).float()


def _kind_of(expected: np.ndarray, poses: Tensor, joints: Tensor, indices: list[int]) -> str:
    """Which representation the fixed items are in: their shape leaves more than one."""
    kinds = [f"{kind}_glob{g}_tr{t}" for kind in REPRESENTATIONS for g in (0, 1) for t in (0, 1)]
    for kind in ("xyz", *kinds):
        found = _item(kind, poses, joints)[..., indices]
        if found.shape == expected.shape and np.allclose(
            found[..., 0], expected[..., 0], atol=1e-3
        ):
            return kind
    return "xyz"


def _rows(vectors: Tensor) -> Tensor:
    """First two rows of the matrices, one after the other: (T, J, 6)."""
    return matrix_from_axis_angle(vectors)[..., :2, :].flatten(-2)


def _quaternions(vectors: Tensor) -> Tensor:
    """(T, J, 4), real part first."""
    angle = vectors.norm(dim=-1, keepdim=True)
    axis = vectors / angle.clamp_min(1e-12)
    return torch.cat(((angle / 2).cos(), axis * (angle / 2).sin()), dim=-1)


REPRESENTATIONS = {
    "rotvec": lambda vectors: vectors,
    "rotmat": lambda vectors: matrix_from_axis_angle(vectors).flatten(-2),
    "rotquat": _quaternions,
    "rot6d": _rows,
}
