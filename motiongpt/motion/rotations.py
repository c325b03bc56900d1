"""Rotations as quaternions, matrices and 6D vectors.

A quaternion is (w, x, y, z). The order of the operations follows HumanML3D's: where a bone points
almost against its rest direction its rotation is mostly rounding error, and the published features
hold just that error. Every function works on any number of leading dimensions; `dim` says
which dimension holds the components, as in `torch.cross`, so that a caller may keep time as the
fastest dimension of its memory.
"""

import torch
from torch import Tensor

# Unit vectors that are opposite to within this angle, in radians, have no rotation axis.
OPPOSITE = 1e-6


def cross(u: Tensor, v: Tensor, dim: int = -1) -> Tensor:
    """Cross product, broadcasting over everything but the three components along `dim`.

    Its rounding, multiply and add in one, is that of `torch.cross`; it is many times faster.
    """
    ux, uy, uz = u.unbind(dim)
    vx, vy, vz = v.unbind(dim)
    return torch.stack(
        (
            torch.addcmul(-(uz * vy), uy, vz),
            torch.addcmul(-(ux * vz), uz, vx),
            torch.addcmul(-(uy * vx), ux, vy),
        ),
        dim,
    )


def unit(vector: Tensor, dim: int = -1) -> Tensor:
    """The vector at length 1; a zero vector becomes NaN."""
    return vector / norm(vector, dim)


def conjugate(quaternion: Tensor, dim: int = -1) -> Tensor:
    """The inverse of a unit quaternion."""
    w, x, y, z = quaternion.unbind(dim)
    return torch.stack((w, -x, -y, -z), dim)


def relative(start: Tensor, end: Tensor, dim: int = -1) -> Tensor:
    """The inverse of the rotation `start` times `end`: what takes the first to the second."""
    aw, ax, ay, az = start.unbind(dim)
    bw, bx, by, bz = end.unbind(dim)
    return torch.stack(
        (
            bw * aw + bx * ax + by * ay + bz * az,
            bx * aw - bw * ax + by * az - bz * ay,
            by * aw - (bw * ay + bx * az) + bz * ax,
            bx * ay - bw * az - by * ax + bz * aw,
        ),
        dim,
    )


def multiply(first: Tensor, second: Tensor, dim: int = -1) -> Tensor:
    """Hamilton product: the rotation `second` followed by `first`."""
    aw, ax, ay, az = first.unbind(dim)
    bw, bx, by, bz = second.unbind(dim)
    return torch.stack(
        (
            bw * aw - bx * ax - by * ay - bz * az,
            bw * ax + bx * aw - by * az + bz * ay,
            bw * ay + bx * az + by * aw - bz * ax,
            bw * az - bx * ay + by * ax + bz * aw,
        ),
        dim,
    )


def rotate(quaternion: Tensor, vector: Tensor, dim: int = -1) -> Tensor:
    """Turn a vector by a unit quaternion."""
    w = quaternion.narrow(dim, 0, 1)
    axis = quaternion.narrow(dim, 1, 3)
    first = cross(axis, vector, dim)
    return vector + 2 * (w * first + cross(axis, first, dim))


def turn_about_y(quaternion: Tensor, vector: Tensor, dim: int = -1) -> Tensor:
    """`rotate` for quaternions whose axis is vertical (x = z = 0), at a third of the work."""
    w, _, y, _ = quaternion.unbind(dim)
    vx, vy, vz = vector.unbind(dim)
    cx, cz = y * vz, y * vx
    height = vy.expand(cx.shape)
    return torch.stack((vx + 2 * (w * cx - y * cz), height, vz - 2 * (w * cz + y * cx)), dim)


def between(start: Tensor, end: Tensor, dim: int = -1) -> Tensor:
    """The shortest rotation that takes the unit vector `start` to the unit vector `end`.

    Opposite vectors have no shortest rotation: they get a half turn about the vertical, or about X
    where `start` is vertical itself.
    """
    ux, uy, uz = start.unbind(dim)
    vx, vy, vz = end.unbind(dim)
    length = ((ux * ux + uy * uy + uz * uz) * (vx * vx + vy * vy + vz * vz)).sqrt()
    w = length + (ux * vx + uy * vy + uz * vz)
    x, y, z = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    size = _root(w * w + x * x + y * y + z * z)
    opposite = size < OPPOSITE
    if bool(opposite.any()):
        half_turn = _half_turn(start, dim).unbind(dim)
        w, x, y, z = (
            torch.where(opposite, half, shortest)
            for half, shortest in zip(half_turn, (w, x, y, z), strict=True)
        )
        size = _root(w * w + x * x + y * y + z * z)
    return torch.stack((w / size, x / size, y / size, z / size), dim)


def _half_turn(start: Tensor, dim: int) -> Tensor:
    """Half a turn about an axis at a right angle to `start`: the vertical if that can be."""
    x, y, z = start.unbind(dim)
    upright = y.abs() > 0.9
    axis = (
        torch.where(upright, 1 - x * x, -x * y),
        torch.where(upright, -x * y, 1 - y * y),
        torch.where(upright, -x * z, -z * y),
    )
    return torch.stack((torch.zeros_like(x), *axis), dim)


def norm(vector: Tensor, dim: int = -1) -> Tensor:
    """Length of a vector, its dimension kept."""
    return _root(vector.square().sum(dim, keepdim=True))


def _root(square: Tensor) -> Tensor:
    """Square root, correctly rounded, which PyTorch's own for float32 is not on every machine."""
    return square.double().sqrt().to(square.dtype)


def quaternion_to_6d(quaternion: Tensor, dim: int = -1) -> Tensor:
    """First two columns of the rotation matrix, one after the other (6 along `dim`).

    The quaternion's length has no influence.
    """
    w, x, y, z = quaternion.unbind(dim)
    double = 2 / (w * w + x * x + y * y + z * z)
    xy, wz, zz = x * y, w * z, z * z
    return torch.stack(
        (
            1 - double * (y * y + zz),
            double * (xy + wz),
            double * (x * z - w * y),
            double * (xy - wz),
            1 - double * (x * x + zz),
            double * (y * z + w * x),
        ),
        dim,
    )


def matrix_from_6d(columns: Tensor) -> Tensor:
    """Rotation matrices (..., 3, 3) from 6D vectors (..., 6) by Gram-Schmidt.

    The vectors need not be orthogonal or of length 1: a network may have generated them.
    """
    first, second = columns[..., :3], columns[..., 3:]
    x = unit(first)
    z = unit(cross(x, second))
    return torch.stack((x, cross(z, x), z), dim=-1)
