"""A pose that joints leave little to say about: found bone by bone, without any optimisation.

Pelvis and chest are turned as fits their several bones best (Horn 1987, by unit quaternions); the
chest's turn against the pelvis is shared out along the spine. Every other bone takes the shortest
turn from its parent's. What is left open is how limbs are turned about themselves: the plane in
which knee and elbow are bent tells, and where a limb is straight, what it was shortly before and
after.
Component-first tensors: 3 or 4, J joints, N frames of all clips.
"""

import torch
from torch import Tensor

from motiongpt.bodies.tree import HINGES, PARENTS, TURNING, Hinge, children_of
from motiongpt.motion.rotations import between, conjugate, cross, multiply, rotate, unit

TWIST_SECONDS = 0.2  # of the bell curve that carries a limb's twist over straight moments
STRAIGHT = 0.01  # how much of the untwisted pose a limb keeps; a bend of 6 degrees weighs the same
SPINE = (3, 6, 9)  # joints between pelvis and the chest's own, and how far each has turned
SHARES = (1 / 3, 2 / 3, 1.0)


def initial_turns(
    joints: Tensor, offsets: Tensor, axes: Tensor, clips: Tensor, fps: float
) -> Tensor:
    """World rotations (4, 17, N), unit quaternions, of the joints of `TURNING`.

    Args:
        joints: (3, J, N) metres.
        offsets: (3, J-1, N) of the rest pose.
        axes: (4, 3) of the hinges in the rest pose.
        clips: (N,) which clip a frame is of.
        fps: frames per second of all of them.
    """
    bones = joints[:, 1:] - joints[:, list(PARENTS[1:])]
    found: dict[int, Tensor] = {0: _fitting(offsets, bones, 0)}
    chest = _fitting(offsets, bones, SPINE[-1])
    for joint, share in zip(SPINE, SHARES, strict=True):
        found[joint] = _mixed(found[0], chest, share)
        if joint != SPINE[-1]:
            found[joint] = _swung(found[joint], offsets, bones, joint)
    limbs = {one.start: (one, axis) for one, axis in zip(HINGES, axes, strict=True)}
    for joint in TURNING:
        if joint in found:
            continue
        turn = _swung(found[PARENTS[joint]], offsets, bones, joint)
        if joint in limbs:
            hinge, axis = limbs[joint]
            turn = _twisted(turn, bones, hinge, axis, clips, fps)
        found[joint] = turn
    return torch.stack([found[joint] for joint in TURNING], dim=1)


def _fitting(offsets: Tensor, bones: Tensor, joint: int) -> Tensor:
    """(4, N) that turn the rest bones of a joint's children as near as can be to the given ones."""
    columns = [child - 1 for child in children_of(joint)]
    # sums of products of a rest coordinate and a given one, (3, 3, N)
    xx, xy, xz, yx, yy, yz, zx, zy, zz = (
        (offsets[:, None, columns] * bones[None, :, columns]).sum(2).flatten(0, 1).unbind(0)
    )
    rows = (
        (xx + yy + zz, yz - zy, zx - xz, xy - yx),
        (yz - zy, xx - yy - zz, xy + yx, zx + xz),
        (zx - xz, xy + yx, yy - xx - zz, yz + zy),
        (xy - yx, zx + xz, yz + zy, zz - xx - yy),
    )
    matrix = torch.stack([torch.stack(row) for row in rows]).movedim(-1, 0)
    return torch.linalg.eigh(matrix.double()).eigenvectors[..., -1].T.to(offsets)


def _mixed(start: Tensor, end: Tensor, share: float) -> Tensor:
    """(4, N) a share of the way from one rotation to the other, the shorter way."""
    same = (start * end).sum(0, keepdim=True) >= 0
    return unit((1 - share) * start + share * torch.where(same, end, -end), dim=0)


def _swung(turn: Tensor, offsets: Tensor, bones: Tensor, joint: int) -> Tensor:
    """(4, N): `turn`, turned on the shortest way that makes the joint's bone point as given."""
    column = children_of(joint)[0] - 1
    inside = rotate(conjugate(turn, dim=0), _direction(bones[:, column]), dim=0)
    return multiply(turn, between(_direction(offsets[:, column]), inside, dim=0), dim=0)


def _direction(vectors: Tensor) -> Tensor:
    """(3, N) of length 1; a bone without length points up, so that there is no NaN."""
    length = vectors.norm(dim=0, keepdim=True)
    up = torch.tensor([0.0, 1.0, 0.0]).to(vectors)[:, None]
    return torch.where(length > 1e-6, vectors / length.clamp_min(1e-6), up)


def _twisted(
    turn: Tensor, bones: Tensor, hinge: Hinge, axis: Tensor, clips: Tensor, fps: float
) -> Tensor:
    """(4, N): `turn` of a limb, turned about the limb so that its hinge bends the way it does."""
    along = _direction(bones[:, hinge.middle - 1])
    bend = cross(along, _direction(bones[:, hinge.end - 1]), dim=0)  # its length: sine of the bend
    expected = rotate(turn, axis.to(turn)[:, None].expand(3, along.shape[1]), dim=0)
    expected = expected - along * (along * expected).sum(0)
    cosine = (expected * bend).sum(0)
    sine = (cross(expected, bend, dim=0) * along).sum(0)
    confidence = bend.norm(dim=0)
    wanted = torch.stack([cosine, sine]) * confidence  # longer where the bend is plain
    wanted[0] += STRAIGHT
    smooth = _smoothed(wanted, clips, TWIST_SECONDS * fps)
    half = torch.atan2(smooth[1], smooth[0]) / 2
    return multiply(torch.cat([half.cos()[None], along * half.sin()]), turn, dim=0)


def _smoothed(values: Tensor, clips: Tensor, spread: float) -> Tensor:
    """A bell curve over (…, N) along the frames of each clip; `spread` in frames."""
    total, weights = values.clone(), torch.ones_like(clips, dtype=values.dtype)
    for shift in range(1, min(int(3 * spread), len(clips) - 1) + 1):
        weight = float(torch.exp(torch.tensor(-0.5 * (shift / spread) ** 2)))
        same = weight * (clips[shift:] == clips[:-shift])
        total[..., shift:] += same * values[..., :-shift]
        total[..., :-shift] += same * values[..., shift:]
        weights[shift:] += same
        weights[:-shift] += same
    return total / weights
