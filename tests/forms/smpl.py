"""AMASS's files of SMPL-X: Z up, with a body model of the tests' own."""

import numpy as np
from scipy.spatial.transform import Rotation

from tests.forms.motions import FPS, body

OPTIONS: dict = {"body_models": body}
MILLIMETRES = 0.1
"""As joints: forward kinematics in float64 give them."""


def write(folder, name, bench):
    motion = bench.motions[name]
    poses = np.zeros((len(motion.turns) - 1, 165))
    poses[:, :66] = motion.turns[:-1].reshape(len(poses), 66)
    stand = Rotation.from_euler("x", 90, degrees=True)  # Y up to Z up
    poses[:, :3] = (stand * Rotation.from_rotvec(poses[:, :3])).as_rotvec()
    pelvis = np.array([0.01, -0.2, 0.03])  # of the body at rest: `trans` moves it from there
    np.savez(
        folder / f"{name}.npz",
        poses=poses,
        trans=stand.apply(motion.place[:-1]) - pelvis,
        betas=np.zeros(16),
        gender=np.array("neutral"),
        mocap_frame_rate=np.array(FPS),
        surface_model_type=np.array("smplx"),
    )
