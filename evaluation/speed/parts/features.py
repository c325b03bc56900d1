"""HumanML3D's features from joints."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from evaluation.speed.motion import MOTION_SIZES, moving_clips
from evaluation.speed.original_features import features_of_clip
from evaluation.speed.part import ORIGINAL, Check, Findings, Needs, Part, Settings, Side, Work
from motiongpt.motion.features import joints_to_features
from motiongpt.motion.skeleton import HUMANML3D

TOLERANCE = 2e-5
CONTACTS = 4  # last channels; exact


class Features(Part):
    """64 clips of 196 frames: one by one with a loop over the joints, or together."""

    title = "Features from joints"
    unit = "clips"

    def workload(self) -> str:
        """Number and length of the clips."""
        size = MOTION_SIZES[self.settings.size]
        return f"{size.clips} clips of {size.frames} frames, {HUMANML3D.n_joints} joints"

    def sides(self) -> Sequence[Side]:
        """One by one, and together."""
        return (
            Side(ORIGINAL, "float32", "one clip at a time, joint by joint, on the CPU"),
            Side("ours", "float32", "joints_to_features on all clips"),
        )

    def work(self, side: str, folder: Path) -> Work:
        """The same joints for both."""
        size = MOTION_SIZES[self.settings.size]
        joints = moving_clips(size.clips, size.frames, HUMANML3D, self.settings.seed)
        return _Original(joints) if side == ORIGINAL else _Ours(joints, self.settings)

    def needs(self) -> Needs:
        """Joints read and features written, once."""
        size = MOTION_SIZES[self.settings.size]
        numbers = size.clips * size.frames * (3 * HUMANML3D.n_joints + HUMANML3D.n_features)
        return Needs(units=size.clips, numbers=numbers)

    def checks(self, found: Mapping[str, Findings]) -> list[Check]:
        """Up to rounding, the contacts exactly."""
        difference = np.abs(found[ORIGINAL]["features"] - found["ours"]["features"])
        largest = float(difference[..., :-CONTACTS].max())
        contacts = int((difference[..., -CONTACTS:] > 0).sum())
        text = f"features differ by {largest:.1e} at most, {contacts} contacts differ"
        return [Check(text, largest <= TOLERANCE and contacts == 0)]


class _Original:
    def __init__(self, joints: torch.Tensor) -> None:
        self.clips = joints.numpy()
        self.offsets = HUMANML3D.offsets().numpy()
        self.features: list[np.ndarray] = []

    def run(self) -> None:
        self.features = [features_of_clip(clip, HUMANML3D, self.offsets) for clip in self.clips]

    def findings(self) -> Findings:
        return {"features": np.stack(self.features)}


class _Ours:
    def __init__(self, joints: torch.Tensor, settings: Settings) -> None:
        self.joints = joints.to(settings.device)
        self.features = torch.empty(0)

    def run(self) -> None:
        self.features = joints_to_features(self.joints, HUMANML3D)

    def findings(self) -> Findings:
        return {"features": self.features.cpu().numpy()}
