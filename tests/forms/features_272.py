"""MotionStreamer's features, made by its published description, at the rate of the data."""

import numpy as np
from scipy.spatial.transform import Rotation

from tests.forms.motions import FPS

OPTIONS: dict = {"fps": FPS}
MILLIMETRES = 0.2
"""Steps and turns add up along time, in float32."""


def write(folder, name, bench):
    np.save(folder / f"{name}.npy", features(bench.motions[name], 1))


def features(motion, fewer=0):
    """(T, 272) float32 of a motion without its last `fewer` frames."""
    frames = len(motion.joints) - fewer
    joints = motion.joints[:frames] - motion.joints[0, 0] * [1, 0, 1]
    roots = Rotation.from_rotvec(motion.turns[:frames, 0]).as_matrix()
    yaw = np.arctan2(roots[:, 0, 2], roots[:, 2, 2])
    away = Rotation.from_euler("y", -yaw[:, None]).as_matrix()  # takes the heading to +Z
    rows = np.zeros((frames, 272))
    steps = np.diff(joints[:, 0], axis=0)
    rows[1:, :2] = np.einsum("tij,tj->ti", away[:-1], steps)[:, [0, 2]]
    turns = np.eye(3)[None].repeat(frames, 0)
    turns[1:] = Rotation.from_euler("y", -np.diff(yaw)[:, None]).as_matrix()
    rows[:, 2:8] = turns[:, :2].reshape(frames, 6)
    near = joints - joints[:, :1] * [1, 0, 1]
    local = np.einsum("tij,tkj->tki", away, near)
    rows[:, 8:74] = local.reshape(frames, 66)
    rows[1:, 74:140] = np.diff(local, axis=0).reshape(frames - 1, 66)
    matrices = Rotation.from_rotvec(motion.turns[:frames].reshape(-1, 3)).as_matrix()
    matrices = matrices.reshape(frames, 22, 3, 3)
    matrices[:, 0] = away @ matrices[:, 0]
    rows[:, 140:] = matrices[:, :, :2].reshape(frames, 132)
    return rows.astype(np.float32)
