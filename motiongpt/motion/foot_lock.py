"""Feet that stand stay where they stand.

A foot in contact is moved to where it stood on average, and down or up to the floor; the shift
fades in before and out after. The leg follows by two bones: hip and foot are where they should be,
the knee bends in its own plane, and both bones keep their lengths. Where a leg is too short for
that, the body sinks a little.

Metres, Y up. Shape letters: T frames, J joints.
"""

import numpy as np
from scipy.ndimage import gaussian_filter1d, maximum_filter1d

from motiongpt.motion.contacts import floor_height, runs, standing
from motiongpt.motion.rest_pose import Limb, limbs
from motiongpt.motion.skeleton import Skeleton
from motiongpt.motion.turns import unit_or
from motiongpt.motion.two_bones import middle as joint_between

FADE = 0.25  # seconds in which a shift comes and goes
FARTHEST = 0.08  # metres; a foot that slides further while it stands is dragged behind
LIFT = 0.04  # metres by which a standing foot is moved up or down at most
STRETCHED = 0.998  # of a leg's length: farther from the hip than that no foot is put
DEEPEST = 0.05  # metres by which the body may sink


def feet_locked(joints: np.ndarray, skeleton: Skeleton, fps: float) -> np.ndarray:
    """Joints (T, J, 3) with feet that stand still while they stand; bones keep their lengths."""
    legs = [limb for limb in limbs(skeleton) if limb.axis[0]]
    feet = [*skeleton.feet_left, *skeleton.feet_right]
    floor = floor_height(joints[:, feet])
    shifts = []
    for toe in (skeleton.feet_left[1], skeleton.feet_right[1]):
        path = joints[:, toe]
        shifts.append(_shift(path, standing(path, floor, fps), floor, fps))
    found = joints.copy()
    found[..., 1] -= _sinking(joints, legs, shifts, fps)[:, None]
    for leg, shift in zip(legs, shifts, strict=True):
        _put(found, joints, leg, shift, skeleton)
    return found


def _shift(toe: np.ndarray, stands: np.ndarray, floor: float, fps: float) -> np.ndarray:
    """(T, 3) by which a foot is moved."""
    shift = np.zeros_like(toe)
    for first, last in runs(stands):
        part = toe[first:last]
        shift[first:last, ::2] = _locked(part[:, ::2]) - part[:, ::2]
        up = floor - np.percentile(part[:, 1], 20)
        shift[first:last, 1] = np.clip(up, -LIFT, LIFT)
    return _faded(shift, stands, round(FADE * fps))


def _locked(path: np.ndarray) -> np.ndarray:
    """Where a standing foot (T, 2) is held: its mean, dragged along where it is farther than
    `FARTHEST`, the same forwards and backwards in time."""
    middle = path.mean(0)
    if np.linalg.norm(path - middle, axis=-1).max() <= FARTHEST:
        return np.broadcast_to(middle, path.shape)
    return (_dragged(path) + _dragged(path[::-1])[::-1]) / 2


def _dragged(path: np.ndarray) -> np.ndarray:
    found = np.empty_like(path)
    held = path[: max(1, len(path) // 4)].mean(0)
    for frame, place in enumerate(path):
        away = place - held
        distance = float(np.linalg.norm(away))
        if distance > FARTHEST:
            held = held + away * (1 - FARTHEST / distance)
        found[frame] = held
    return found


def _faded(shift: np.ndarray, stands: np.ndarray, frames: int) -> np.ndarray:
    """The shift between contacts: smoothly to nothing in `frames`, or on to the next contact's."""
    found = shift.copy()
    for first, last in runs(~stands):
        before = shift[first - 1] if first else np.zeros(3)
        after = shift[last] if last < len(stands) else np.zeros(3)
        steps = np.arange(1, last - first + 1)[:, None]
        fade = min(frames, last - first)
        leaving = _eased(1 - steps / (fade + 1)) if first else 0.0
        coming = _eased(1 - steps[::-1] / (fade + 1)) if last < len(stands) else 0.0
        found[first:last] = leaving * before + coming * after
    return found


def _eased(share: np.ndarray) -> np.ndarray:
    """0 to 1 without a corner."""
    share = np.clip(share, 0, 1)
    return share * share * (3 - 2 * share)


def _sinking(
    joints: np.ndarray, legs: list[Limb], shifts: list[np.ndarray], fps: float
) -> np.ndarray:
    """(T,) metres by which the body sinks, so that legs reach where their feet stand."""
    needed = np.zeros(len(joints))
    for leg, shift in zip(legs, shifts, strict=True):
        hip, knee, ankle = (joints[:, joint] for joint in leg.joints[:3])
        reach = _reach(hip, knee, ankle)
        away = ankle + shift - hip
        level = np.linalg.norm(away[:, ::2], axis=-1)
        height = np.sqrt(np.maximum(reach**2 - level**2, 0))
        too_far = np.linalg.norm(away, axis=-1) > reach
        drop = np.where(too_far & (np.abs(shift).max(-1) > 0), -away[:, 1] - height, 0)
        needed = np.maximum(needed, np.clip(drop, 0, DEEPEST))
    if not needed.any():
        return needed
    sigma = 0.1 * fps
    wide = maximum_filter1d(needed, 2 * round(sigma) + 1)
    found: np.ndarray = gaussian_filter1d(wide, sigma)
    return found


def _reach(hip: np.ndarray, knee: np.ndarray, ankle: np.ndarray) -> np.ndarray:
    """(T,) how far from the hip a foot may be: nearly the leg's length, or as far as it was."""
    length = np.linalg.norm(knee - hip, axis=-1) + np.linalg.norm(ankle - knee, axis=-1)
    return np.maximum(STRETCHED * length, np.linalg.norm(ankle - hip, axis=-1))


def _put(
    found: np.ndarray, joints: np.ndarray, leg: Limb, shift: np.ndarray, skeleton: Skeleton
) -> None:
    """Put a leg so that its foot stands shifted; hips of `found` may have sunk."""
    first, middle, last = leg.joints[:3]
    hip, knee, ankle = joints[:, first], joints[:, middle], joints[:, last]
    upper = np.linalg.norm(knee - hip, axis=-1)
    lower = np.linalg.norm(ankle - knee, axis=-1)
    new_hip = found[:, first]
    away = ankle + shift - new_hip
    distance = np.linalg.norm(away, axis=-1)
    reached = np.minimum(distance, _reach(hip, knee, ankle))
    reached = np.maximum(reached, np.abs(upper - lower) + 1e-4)
    ahead = unit_or(away, np.array([0.0, -1.0, 0.0]))
    pole = _pole(hip, knee, ankle, joints[:, leg.joints[3]] - ankle)
    found[:, middle] = joint_between(new_hip, ahead, reached, (upper, lower), pole)
    moved = new_hip + reached[:, None] * ahead - ankle
    found[:, last] = ankle + moved
    for joint in _below(skeleton, last):
        found[:, joint] = joints[:, joint] + moved


def _pole(hip: np.ndarray, knee: np.ndarray, ankle: np.ndarray, foot: np.ndarray) -> np.ndarray:
    """Vectors (T, 3) from the line of a leg to its knee; of a straight leg, to where toes point."""
    line = unit_or(ankle - hip, np.array([0.0, -1.0, 0.0]))
    out = knee - hip
    out = out - (out * line).sum(-1, keepdims=True) * line
    toes = unit_or(foot, np.array([0.0, 0.0, 1.0]))
    found: np.ndarray = out + 0.005 * toes  # metres: a knee that is bent less says nothing
    return found


def _below(skeleton: Skeleton, joint: int) -> list[int]:
    hanging = [one for one, parent in enumerate(skeleton.parents) if parent == joint]
    return [one for child in hanging for one in (child, *_below(skeleton, child))]
