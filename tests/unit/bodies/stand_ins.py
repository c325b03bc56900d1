"""Small files shaped like the SMPL family's, of a body made up here, and motions for them."""

import tarfile
from pathlib import Path

import numpy as np

from motiongpt.motion.skeleton import HUMANML3D
from tests.shared import shared
from tests.unit.bvh_joints import bvh_to_joints

# A person of 1.7 m in T-pose, metres, right sides mirrored: x, y, z of each joint.
REST = {
    "pelvis": (0, 0.95, 0), "left_hip": (0.07, 0.87, 0), "spine1": (0, 1.06, -0.02),
    "left_knee": (0.1, 0.48, 0), "spine2": (0, 1.2, -0.01), "left_ankle": (0.09, 0.08, -0.03),
    "spine3": (0, 1.25, 0), "left_foot": (0.11, 0.02, 0.1), "neck": (0, 1.46, -0.02),
    "left_collar": (0.08, 1.37, -0.01), "head": (0, 1.55, 0.03),
    "left_shoulder": (0.17, 1.4, -0.02), "left_elbow": (0.43, 1.39, -0.03),
    "left_wrist": (0.68, 1.39, -0.03),
}  # fmt: skip
CORNERS = np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, 8).T
MORE = {"smpl": 2, "smplh": 30, "smplx": 33}  # joints beyond the 22, all on the wrists


def rest_joints() -> np.ndarray:
    """(22, 3) metres."""
    mirrored = {name.replace("left", "right"): (-x, y, z) for name, (x, y, z) in REST.items()}
    both = mirrored | REST
    return np.array([both[name] for name in HUMANML3D.joint_names])


def model_arrays(kind: str, seed: int = 0) -> dict[str, np.ndarray]:
    """What such a model's file holds: a cube of 8 vertices about each joint, of random size."""
    rng = np.random.default_rng(seed)
    first = rest_joints()
    more = MORE[kind]
    joints = np.concatenate([first, first[[20 + one % 2 for one in range(more)]] + 0.02])
    count = len(joints)
    corners = CORNERS[None] * rng.uniform(0.02, 0.05, (count, 1, 3))
    template = (joints[:, None] + corners).reshape(-1, 3)
    shapes = rng.normal(0, 0.004, (len(template), 3, 12))
    shapes[:, :, 0] = template * 0.05
    shapes[:, :, 1] = template * [0, 0.05, 0]
    shapes[:, :, 2] = template * [0.05, 0, 0]
    parents = [*HUMANML3D.parents, *(20 + one % 2 for one in range(more))]
    weights = np.repeat(np.eye(count), 8, axis=0)
    return {
        "v_template": template,
        "shapedirs": shapes,
        "posedirs": np.zeros((len(template), 3, 9 * (count - 1))),
        "J_regressor": np.repeat(np.eye(count), 8, axis=1) / 8,
        "kintree_table": np.array([[2**32 - 1, *parents[1:]], range(count)], np.uint32),
        "weights": weights,
        "f": rng.integers(0, len(template), (40, 3)).astype(np.uint32),
    }


def write_model(folder: Path, kind: str) -> Path:
    """A file where `motiongpt fit` looks for one; returns its path."""
    names = {
        "smpl": "smpl/SMPL_NEUTRAL.npz",
        "smplh": "smplh/neutral/model.npz",
        "smplx": "smplx/SMPLX_NEUTRAL.npz",
    }
    path = folder / names[kind]
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **model_arrays(kind))
    return path


def real_clip(folder: Path, frames: int = 60) -> np.ndarray:
    """Joints (T, 22, 3) of a person of ../shared who walks and turns."""
    path = folder / "real.bvh"
    with tarfile.open(shared("data", "bandai_namco", "bandai_all.tar.xz")) as archive:
        for member in archive:
            if member.isfile() and member.name.endswith(".bvh"):
                found = archive.extractfile(member)
                assert found is not None
                path.write_bytes(found.read())
                joints = bvh_to_joints(path, None)
                if len(joints) >= frames:
                    return joints[:frames]
    raise AssertionError("no clip is long enough")


def made_up_clip(frames: int = 12, seed: int = 0) -> np.ndarray:
    """Joints (T, 22, 3) of a body that bends knees and elbows, and walks ahead."""
    import torch

    from motiongpt.bodies.tree import TURNING, offsets_of, posed_joints

    rng = np.random.default_rng(seed)
    angle = 0.6 + 0.4 * np.sin(np.linspace(0, 3, frames) + rng.uniform(0, 3))
    turns = np.zeros((4, len(TURNING), frames))
    turns[0] = 1

    def turn(joint: int, axis: int, by: np.ndarray) -> None:
        turns[:, TURNING.index(joint)] = 0
        turns[0, TURNING.index(joint)] = np.cos(by / 2)
        turns[1 + axis, TURNING.index(joint)] = np.sin(by / 2)

    for joint in (4, 5):
        turn(joint, 0, angle)  # shins go back; the feet keep level
    turn(18, 1, -angle)  # forearms go ahead
    turn(19, 1, angle)
    offsets = offsets_of(torch.from_numpy(rest_joints())).T[..., None].expand(3, 21, frames)
    root = np.stack([np.zeros(frames), np.full(frames, 0.95), np.arange(frames) * 0.03])
    joints = posed_joints(torch.from_numpy(turns), offsets, torch.from_numpy(root))
    return joints.permute(2, 1, 0).numpy().astype(np.float32)
