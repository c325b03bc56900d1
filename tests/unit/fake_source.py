"""A motion source for tests: clips that are handed to it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from motiongpt.data.clip import BadClip, Caption, Clip
from motiongpt.motion.skeleton import HUMANML3D, Skeleton


@dataclass
class FakeSource:
    items: Sequence[Clip | BadClip]
    skeleton: Skeleton = HUMANML3D
    fps: float = 20.0
    action_words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    expected_counts: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.items)

    def clips(self) -> Iterator[Clip | BadClip]:
        yield from self.items


def feature_clip(name: str, split: str = "train", frames: int = 20, seed: int = 0, **other) -> Clip:
    """A clip of random features with a caption."""
    features = np.random.default_rng([seed, frames]).normal(size=(frames, 263)).astype(np.float32)
    settings = {"captions": (Caption(f"caption of {name}"),), "features": features, **other}
    return Clip(name, split, **settings)


def joint_clip(name: str, split: str = "train", frames: int = 21, seed: int = 0, **other) -> Clip:
    """A clip of joints: the rest pose, swaying and wandering off."""
    rng = np.random.default_rng([seed, frames])
    pose = rest_pose()
    time = np.arange(frames)[:, None, None] / 20.0
    sway = 0.05 * np.sin(
        2 * np.pi * (time * rng.uniform(0.5, 1, (1, 22, 3)) + rng.random((1, 22, 3)))
    )
    joints = (pose + sway + time * np.array([0.3, 0.0, 0.6])).astype(np.float32)
    settings = {"captions": (Caption(f"caption of {name}"),), "joints": joints, **other}
    return Clip(name, split, **settings)


def rest_pose() -> np.ndarray:
    """(22, 3) metres, standing."""
    offsets = HUMANML3D.offsets().numpy()
    pose = np.zeros((22, 3), np.float32)
    for joint, parent in enumerate(HUMANML3D.parents):
        if parent >= 0:
            pose[joint] = pose[parent] + offsets[joint]
    return pose + np.array([0, -pose[:, 1].min(), 0], np.float32)
