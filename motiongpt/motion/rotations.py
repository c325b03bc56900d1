"""Rotations as quaternions, matrices and 6D vectors.

A quaternion is (w, x, y, z). Every function works on any number of leading dimensions; `dim` says
which dimension holds the components, as in `torch.cross`, so that a caller may keep time as the
fastest dimension of its memory.
"""

import torch
from torch import Tensor

# Unit vectors closer to opposite than this (|q|² of the unnormalised rotation) have no axis.
OPPOSITE = 1e-12


def cross(u: Tensor, v: Tensor, dim: int = -1) -> Tensor:
    """Cross product, broadcasting over everything but the three components along `dim`."""
    ux, uy, uz = u.unbind(dim)
    vx, vy, vz = v.unbind(dim)
    return torch.stack((uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx), dim)


def unit(vector: Tensor, dim: int = -1) -> Tensor:
    """The vector at length 1; a zero vector becomes NaN."""
    return vector / vector.square().sum(dim, keepdim=True).sqrt()


def conjugate(quaternion: Tensor, dim: int = -1) -> Tensor:
    """The inverse of a unit quaternion."""
    w, x, y, z = quaternion.unbind(dim)
    return torch.stack((w, -x, -y, -z), dim)


def multiply(first: Tensor, second: Tensor, dim: int = -1) -> Tensor:
    """Hamilton product: the rotation `second` followed by `first`."""
    aw, ax, ay, az = first.unbind(dim)
    bw, bx, by, bz = second.unbind(dim)
    return torch.stack(
        (
            aw * bw - ax * bx - ay * by - az * bz,
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
        ),
        dim,
    )


def rotate(quaternion: Tensor, vector: Tensor, dim: int = -1) -> Tensor:
    """Turn a vector by a unit quaternion."""
    w, x, y, z = quaternion.unbind(dim)
    vx, vy, vz = vector.unbind(dim)
    cx, cy, cz = y * vz - z * vy, z * vx - x * vz, x * vy - y * vx
    return torch.stack(
        (
            vx + 2 * (w * cx + y * cz - z * cy),
            vy + 2 * (w * cy + z * cx - x * cz),
            vz + 2 * (w * cz + x * cy - y * cx),
        ),
        dim,
    )


def turn_about_y(quaternion: Tensor, vector: Tensor, dim: int = -1) -> Tensor:
    """`rotate` for quaternions whose axis is vertical (x = z = 0), at a third of the work."""
    w, _, y, _ = quaternion.unbind(dim)
    vx, vy, vz = vector.unbind(dim)
    sine, cosine = 2 * w * y, 1 - 2 * y * y
    height = vy.expand(torch.broadcast_shapes(vy.shape, w.shape))
    return torch.stack((cosine * vx + sine * vz, height, cosine * vz - sine * vx), dim)


def between(start: Tensor, end: Tensor, dim: int = -1) -> Tensor:
    """The shortest rotation that takes the unit vector `start` to the unit vector `end`.

    Opposite vectors have no shortest rotation: they get a half turn about the vertical, or about X
    where `start` is vertical itself.
    """
    ux, uy, uz = start.unbind(dim)
    vx, vy, vz = end.unbind(dim)
    w = 1 + (ux * vx + uy * vy + uz * vz)
    x, y, z = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    square = w * w + x * x + y * y + z * z
    opposite = square < OPPOSITE
    if bool(opposite.any()):
        upright = uy.abs() > 0.9
        half_x = torch.where(upright, 1 - ux * ux, -ux * uy)
        half_y = torch.where(upright, -ux * uy, 1 - uy * uy)
        half_z = torch.where(upright, -ux * uz, -uz * uy)
        w = w.masked_fill(opposite, 0)
        x, y, z = (
            torch.where(opposite, half, kept)
            for half, kept in ((half_x, x), (half_y, y), (half_z, z))
        )
        square = w * w + x * x + y * y + z * z
    scale = square.rsqrt()
    return torch.stack((w * scale, x * scale, y * scale, z * scale), dim)


def quaternion_to_6d(quaternion: Tensor, dim: int = -1) -> Tensor:
    """First two columns of the rotation matrix, one after the other (6 along `dim`)."""
    w, x, y, z = quaternion.unbind(dim)
    x2, y2, z2 = 2 * x, 2 * y, 2 * z
    xx, yy, zz = x * x2, y * y2, z * z2
    xy, wz = x * y2, w * z2
    return torch.stack(
        (1 - (yy + zz), xy + wz, x * z2 - w * y2, xy - wz, 1 - (xx + zz), y * z2 + w * x2), dim
    )


def matrix_from_6d(columns: Tensor) -> Tensor:
    """Rotation matrices (..., 3, 3) from 6D vectors (..., 6) by Gram-Schmidt.

    The vectors need not be orthogonal or of length 1: a network may have written them.
    """
    first, second = columns[..., :3], columns[..., 3:]
    x = unit(first)
    z = unit(cross(x, second))
    return torch.stack((x, cross(z, x), z), dim=-1)
