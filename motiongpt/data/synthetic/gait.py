"""Footsteps, and a body that follows its feet."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from motiongpt.data.synthetic.curves import bump, glide, smooth, through
from motiongpt.data.synthetic.performer import Performer
from motiongpt.data.synthetic.pose import (
    FLEX,
    FORWARD,
    LEFT,
    PELVIS_AHEAD,
    RIGHT,
    SIDE,
    TWIST,
    Pose,
    outward,
)

SETTLE = 0.5  # seconds at rest that a body needs before its first and after its last footstep


@dataclass(frozen=True)
class Step:
    """One swing of one foot, in seconds, metres and radians.

    Attributes:
        x, z, yaw: where the foot comes to stand and points to.
        lift: height of the sole in the middle of the swing.
        roll: how much the foot rolls from heel to toe; negative rolls backward.
        ahead: how far the foot leaves its line in the middle of the swing, in the direction it
            points to: positive for a raised knee, negative for heels that fly up behind.
    """

    side: int
    start: float
    end: float
    x: float
    z: float
    yaw: float
    lift: float = 0.09
    roll: float = 1.0
    ahead: float = 0.0


def footprint(
    performer: Performer, side: int, x: float, z: float, heading: float
) -> tuple[float, float, float]:
    """x, z, yaw of one foot of the performer standing at (x, z) with that heading."""
    offset = outward(side) * performer.half_stance
    yaw = heading + outward(side) * performer.toes_out
    return x + offset * np.cos(heading), z - offset * np.sin(heading), yaw


def place_feet(pose: Pose, time: np.ndarray, steps: Sequence[Step]) -> None:
    """Write the steps into the feet's channels of a pose that stands still."""
    for side in (LEFT, RIGHT):
        x, z, yaw = pose.feet[0, side, 0], pose.feet[0, side, 2], pose.foot_yaw[0, side]
        for step in (step for step in steps if step.side == side):
            done = glide(time, step.start, step.end)
            middle = bump(time, step.start, step.end)
            pose.feet[:, side, 0] += (step.x - x) * done + step.ahead * np.sin(step.yaw) * middle
            pose.feet[:, side, 2] += (step.z - z) * done + step.ahead * np.cos(step.yaw) * middle
            pose.feet[:, side, 1] += step.lift * middle
            pose.foot_yaw[:, side] += (step.yaw - yaw) * done
            pose.foot_pitch[:, side] += _roll(time, step)
            x, z, yaw = step.x, step.z, step.yaw


def _roll(time: np.ndarray, step: Step) -> np.ndarray:
    """(T,) pitch of a foot around one swing: heel up, toes off, heel down, flat."""
    swing = step.end - step.start
    before = min(0.35 * swing, 0.25)
    times = [-before, 0.12 * swing, 0.62 * swing, 0.93 * swing, swing + 0.1]
    values = np.deg2rad([0.0, 38.0, 0.0, -14.0, 0.0]) * abs(step.roll)
    if step.roll < 0:  # a foot that goes backward lands on its ball
        times = [swing - at for at in reversed(times)]
        values = np.array([0.0, 0.0, 8.0, 34.0, 0.0]) * np.pi / 180.0 * abs(step.roll)
    return through(time - step.start, times, values)


def follow_feet(
    pose: Pose,
    time: np.ndarray,
    steps: Sequence[Step],
    performer: Performer,
    smoothing: float,
    sway: float = 0.03,
) -> None:
    """Let pelvis and heading follow the feet: the body is carried above the middle of the feet.

    Args:
        smoothing: seconds, standard deviation; about a third of the time of a step. Together
            with the steps' first start it must leave the pose at rest at both ends.
        sway: metres that the pelvis moves over the standing foot.
    """
    turn = smooth(pose.foot_yaw.mean(axis=1), smoothing)
    turn -= turn[0] - pose.heading[0]
    pose.heading[:] = turn
    ground = np.zeros((pose.frames, 2))
    load = np.zeros(pose.frames)  # positive while the left foot carries the body
    for side in (LEFT, RIGHT):
        ground += 0.5 * _travel(pose, time, steps, side)
    for step in steps:
        load += -outward(step.side) * bump(time, step.start - 0.1, step.end + 0.1)
    ground = smooth(ground, smoothing)
    load = smooth(np.clip(load, -1.0, 1.0), 0.05) * sway
    pose.pelvis[:, 0] = ground[:, 0] + PELVIS_AHEAD * np.sin(turn) + load * np.cos(turn)
    pose.pelvis[:, 2] = ground[:, 1] + PELVIS_AHEAD * np.cos(turn) - load * np.sin(turn)
    pose.hips[:, SIDE] += load / max(sway, 1e-6) * np.deg2rad(2.0)
    pose.spine[:, SIDE] -= load / max(sway, 1e-6) * np.deg2rad(2.0)


def _travel(pose: Pose, time: np.ndarray, steps: Sequence[Step], side: int) -> np.ndarray:
    """(T, 2) x, z of a foot without the excursions of its swings."""
    position = pose.feet[:, side][:, [0, 2]].copy()
    for step in (step for step in steps if step.side == side):
        aside = step.ahead * bump(time, step.start, step.end)[:, None]
        position -= aside * [np.sin(step.yaw), np.cos(step.yaw)]
    return position


def swing_arms(pose: Pose, gain: float, elbows: float = 0.0) -> None:
    """Swing the arms against the legs: `gain` radians per metre that a foot is ahead.

    `elbows` is the part of the swing that also bends the elbows.
    """
    facing = np.stack([np.sin(pose.heading), np.cos(pose.heading)], axis=1)
    apart = (pose.feet[:, LEFT] - pose.feet[:, RIGHT])[:, [0, 2]]
    lead = (apart * facing).sum(axis=1)  # metres that the left foot is ahead
    lead = smooth(lead - lead[0], 0.06)
    for side in (LEFT, RIGHT):
        swing = -outward(side) * gain * lead
        pose.arms[:, side, FLEX] += np.where(swing > 0, swing, 0.8 * swing)
        pose.arms[:, side, 3] += elbows * np.logaddexp(0.0, 6.0 * swing) / 6.0 - (
            elbows * np.log(2.0) / 6.0
        )
    # the pelvis turns with the leading leg, the chest against it
    pose.hips[:, TWIST] -= 0.2 * lead
    pose.spine[:, TWIST] += 0.4 * lead


def lean(pose: Pose, amount: np.ndarray) -> None:
    """Lean the trunk forward by `amount` (T,) radians, shared by hips and spine."""
    pose.hips[:, FORWARD] += 0.4 * amount
    pose.spine[:, FORWARD] += 0.6 * amount


@dataclass(frozen=True)
class Pace:
    """Time and size of a row of equal footsteps: seconds per step, metres per step."""

    period: float
    length: float
    swing: float = 0.8

    @property
    def smoothing(self) -> float:
        """Seconds for `follow_feet`."""
        return 0.32 * self.period

    @property
    def rest(self) -> float:
        """Seconds at rest before the first and after the last step."""
        return max(0.3, 2.5 * self.smoothing + 0.05)

    def seconds(self, count: int) -> float:
        """Length of a motion with that many steps."""
        return 2.0 * self.rest + (count - 1) * self.period + self.swing * self.period


def straight_steps(
    performer: Performer,
    pace: Pace,
    count: int,
    first: int,
    direction: float = 0.0,
    lift: float = 0.09,
    roll: float = 1.0,
    ahead: float = 0.0,
) -> list[Step]:
    """Footsteps of somebody who starts with feet together, walks, and ends with feet together.

    Args:
        first: the side that steps first.
        direction: radians from straight ahead, positive to the left; pi walks backward.

    The first step goes 0.6 lengths, the last one closes, so the body travels
    length * (count - 1.4).
    """
    steps = []
    for index in range(count):
        reached = pace.length * (0.6 + min(index, count - 2))
        side = (first + index) % 2
        x, z, yaw = footprint(
            performer, side, reached * np.sin(direction), reached * np.cos(direction), 0.0
        )
        start = pace.rest + index * pace.period
        end = start + pace.swing * pace.period
        steps.append(Step(side, start, end, x, z, yaw, lift, roll, ahead))
    return steps
