"""Gestures of the arms: an arm on its way between the angles it has and the angles of a gesture."""

import numpy as np

from motiongpt.data.synthetic.pose import Pose, outward

SPEED_JITTER = (0.95, 1.05)  # factors of a duration that still deserve the same adverb


def move_arm(
    pose: Pose,
    side: int,
    amount: np.ndarray,
    flex: float = 0.0,
    spread: float = 0.0,
    roll: float = 0.0,
    elbow: float = 0.0,
) -> None:
    """Mix the arm's angles with those of a gesture: `amount` (T,) 0 keeps them, 1 replaces them.

    The angles are given in degrees; see `Pose.arms`. With spread or flex at 90 and roll at 0 a
    bent forearm points ahead (spread) or up (flex); roll 90 turns a spread arm's forearm up.
    """
    target = np.deg2rad([flex, spread, roll, elbow])
    pose.arms[:, side] += amount[:, None] * (target - pose.arms[:, side])


def reach_to(
    pose: Pose, side: int, weight: np.ndarray, aside: np.ndarray, up: np.ndarray, ahead: np.ndarray
) -> None:
    """Draw the wrist to a position seen from spine3, in metres; `weight`, positions (T,).

    `aside` is positive on the arm's own side of the body.
    """
    pose.reach[:, side] = np.stack([outward(side) * aside, up, ahead], axis=1)
    pose.reach_weight[:, side] = weight
