"""How an upper arm or a thigh is turned about itself, which joints alone do not say.

The bend of elbow or knee says it: they are hinges. Where the limb is straight, the turn is carried
on from where it was bent, so that it changes as little as can be; a foot says a little, too.

What is looked for is the hinge's axis, a unit vector across the bone, in each frame. Coordinates
across the bone are carried from frame to frame by the shortest turn of the bone: in them a vector
that rests is a bone that does not twist. Then the least squares of

    sum w |z - seen|^2  +  stiffness |z' - z|^2  +  weak |z - resting|^2

are a tridiagonal system. Shape letters: T frames.
"""

import numpy as np
from scipy.linalg import solveh_banded

from motiongpt.motion.turns import shortest, unit_or

STIFFNESS = 0.5  # at 20 frames per second; an elbow bent by 30 degrees has w = 0.25
WEAK = 0.02
FOOT = 0.1  # weight of a foot across its shank
FPS = 20.0


def twisted(
    bone: np.ndarray, seen: np.ndarray, rest: np.ndarray, axis: np.ndarray, fps: float, most: float
) -> np.ndarray:
    """Rotations (T, 3, 3) that take the direction `rest` to the bone and `axis` to the hinge.

    Args:
        bone: unit directions (T, 3), in the axes of the joint that carries the limb.
        seen: (T, 3) along the hinge's axis, as long as it is sure: w times a unit vector.
        rest: (3,) the bone in the rest pose.
        axis: (3,) the hinge in the rest pose, across it.
        most: radians by which the twist may change from frame to frame.
    """
    resting = np.einsum("tij,j->ti", shortest(np.broadcast_to(rest, bone.shape), bone), axis)
    across = _carried(bone, resting[0])
    other = np.cross(bone, across)
    weight = np.linalg.norm(seen, axis=-1)
    weak = WEAK * (1 + bone @ rest) / 2  # opposite to the rest pose its axis is any
    pull = seen + weak[:, None] * resting
    sides = np.stack([(pull * across).sum(-1), (pull * other).sum(-1)], axis=-1)
    found = _smooth(weight + weak, sides, STIFFNESS * (fps / FPS) ** 2)
    angles = _bounded_angles(np.unwrap(np.arctan2(found[:, 1], found[:, 0])), most)
    hinge = np.cos(angles)[:, None] * across + np.sin(angles)[:, None] * other
    frame = np.stack([bone, hinge, np.cross(bone, hinge)], axis=-1)
    return frame @ np.stack([rest, axis, np.cross(rest, axis)])


def hinge_seen(first: np.ndarray, second: np.ndarray, foot: np.ndarray | None) -> np.ndarray:
    """(T, 3) along a hinge's axis, as long as it is sure, from unit directions (T, 3) of the bones.

    Args:
        foot: the bone after the second, of a leg.
    """
    axis = np.cross(first, second)
    seen = axis * np.linalg.norm(axis, axis=-1, keepdims=True)
    if foot is not None:
        seen = seen + FOOT * np.cross(foot, second)
    return seen - (seen * first).sum(-1, keepdims=True) * first


def _carried(bone: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Unit vectors (T, 3) across the bone, each the one before turned as the bone turns."""
    turns = shortest(bone[:-1], bone[1:])
    found = np.empty_like(bone)
    found[0] = start
    for frame, turn in enumerate(turns, start=1):
        found[frame] = turn @ found[frame - 1]
    found -= (found * bone).sum(-1, keepdims=True) * bone  # rounding adds up
    return unit_or(found, start)


def _smooth(weight: np.ndarray, sides: np.ndarray, stiffness: float) -> np.ndarray:
    """The tridiagonal system (T,), (T, 2) -> (T, 2)."""
    frames = len(weight)
    links = np.full(frames, stiffness)
    links[-1] = 0
    diagonal = weight + links + np.roll(links, 1) + 1e-9
    if frames == 1:
        return sides / diagonal[:, None]
    found: np.ndarray = solveh_banded(np.stack([diagonal, -links]), sides, lower=True)
    return found


def _bounded_angles(angles: np.ndarray, most: float) -> np.ndarray:
    """Angles (T,) near the given ones, none of which leaves the one before by more than `most`."""
    if len(angles) < 2 or np.abs(np.diff(angles)).max() <= most:
        return angles
    ahead, behind = angles.copy(), angles.copy()
    for frame in range(1, len(angles)):
        low, high = ahead[frame - 1] - most, ahead[frame - 1] + most
        ahead[frame] = min(max(angles[frame], low), high)
    for frame in range(len(angles) - 2, -1, -1):
        low, high = behind[frame + 1] - most, behind[frame + 1] + most
        behind[frame] = min(max(angles[frame], low), high)
    return (ahead + behind) / 2
