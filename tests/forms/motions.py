"""Motions that every form can hold: rotations of a body with HumanML3D's bones, smooth and upright.

Shape letters: T frames, J joints, V vertices.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from motiongpt.data.build import build_store
from motiongpt.data.clip import Caption, Clip
from motiongpt.data.store import MotionStore
from motiongpt.motion.recover import features_to_joints
from motiongpt.motion.skeleton import HUMANML3D
from tests.unit.fake_source import FakeSource

FPS = 20.0
PARENTS = HUMANML3D.parents
WORDS = ("walks", "runs", "turns", "waves", "kicks", "bows", "jumps", "sits")


@dataclass(frozen=True)
class Made:
    """One motion: turns (T, J, 3) in radians within each parent, place (T, 3) of the root in
    metres, and the joints (T, J, 3) that follow."""

    turns: np.ndarray
    place: np.ndarray
    joints: np.ndarray


def rest() -> np.ndarray:
    """(J, 3) rest joints, the pelvis at the origin."""
    found, offsets = np.zeros((22, 3)), HUMANML3D.offsets().numpy().astype(np.float64)
    for joint, parent in enumerate(PARENTS):
        if parent >= 0:
            found[joint] = found[parent] + offsets[joint]
    return found


def made(seed: int, frames: int) -> Made:
    """One motion of so many frames: it sways, turns and wanders off."""
    draw = np.random.default_rng(seed)
    time = np.arange(frames)[:, None, None] / FPS
    speed, phase = draw.uniform(1, 4, (1, 22, 3)), draw.uniform(0, 6, (1, 22, 3))
    turns = draw.uniform(0.05, 0.25, (1, 22, 3)) * np.sin(speed * time + phase)
    turns[:, 0] = [0, 1, 0] * (0.8 * np.sin(0.7 * time[:, 0] + phase[:, 0, :1]))
    wander = np.cumsum(np.full((frames, 1), 1 / FPS), axis=0) * draw.uniform(-0.5, 0.5, 3)
    place = wander * [1, 0, 1] + [0, 0.95, 0]
    joints = joints_of(turns, place)
    lowest = joints[..., 1].min()
    return Made(turns, place - [0, lowest, 0], joints - [0, lowest, 0])


def joints_of(turns: np.ndarray, place: np.ndarray) -> np.ndarray:
    """(T, J, 3): a way of its own, from each joint back along its parents."""
    standing = rest()
    matrices = Rotation.from_rotvec(turns.reshape(-1, 3)).as_matrix().reshape(*turns.shape, 3)
    found = np.zeros_like(turns)
    for joint in range(22):
        vector, below = np.zeros((len(turns), 3)), joint
        while PARENTS[below] >= 0:
            vector = vector + (standing[below] - standing[PARENTS[below]])
            below = PARENTS[below]
            vector = np.einsum("tij,tj->ti", matrices[:, below], vector)
        found[:, joint] = vector + place
    return found


class Bench:
    """A store of such motions, all of its test split, and the motions themselves by name."""

    def __init__(self, folder: Path, count: int = 40, frames: int = 60) -> None:
        self.motions = {f"{i:06d}": made(i, frames + 1 + 4 * (i % 5)) for i in range(count)}
        clips = [
            Clip(
                name,
                "test",
                tuple(
                    Caption(f"a person {WORDS[(i + extra) % 8]} {WORDS[i * 3 % 8]}")
                    for extra in (0, 1, 5)
                ),
                joints=motion.joints.astype(np.float32),
            )
            for i, (name, motion) in enumerate(self.motions.items())
        ]
        train = [Clip("train0", "train", (Caption("a person"),), joints=clips[0].joints)]
        self.store: MotionStore = build_store(
            FakeSource([*train, *clips]), folder / "store", progress=False
        )
        self.names = list(self.motions)

    def features(self, name: str) -> np.ndarray:
        """(T, 263) of the store."""
        return self.store.features(list(self.store.names).index(name))

    def joints(self, name: str) -> np.ndarray:
        """(T, 22, 3) that the store's features stand for."""
        import torch

        return features_to_joints(torch.from_numpy(self.features(name)), HUMANML3D).numpy()


def body(folder: Path) -> Path:
    """A folder with a model file of SMPL-X's layout whose rest joints are `rest`; few vertices."""
    folder.mkdir(exist_ok=True)
    joints = np.zeros((55, 3))
    joints[:22] = rest() + [0.01, -0.2, 0.03]  # SMPL's pelvis is not at the origin
    tree = np.zeros((2, 55), np.int64)
    tree[0] = [2**32 - 1, *PARENTS[1:], *[20] * 33]
    tree[1] = np.arange(55)
    np.savez(
        folder / "SMPLX_NEUTRAL.npz",
        J_regressor=np.eye(55),
        v_template=joints,
        shapedirs=np.random.default_rng(0).normal(0, 0.01, (55, 3, 20)),
        kintree_table=tree,
        joint2num=np.array({"pelvis": 0}),  # an object, as the published file has: never read
    )
    return folder
