"""HumanML3D's features from joints."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from motiongpt.motion.features import joints_to_features
from motiongpt.motion.skeleton import HUMANML3D
from tests.benchmarks.speed.motion import MOTION_SIZES, moving_clips
from tests.benchmarks.speed.original_features import features_of_clip
from tests.benchmarks.speed.part import ORIGINAL, Check, Findings, Part, Settings, Side

TOLERANCE = 2e-5
CONTACTS = 4  # last channels; exact


class Features(Part):
    """64 clips of 196 frames: one by one with a loop over the joints, or together."""

    title = "Features from joints"
    unit = "clips"
    sides = (
        Side(ORIGINAL, "one clip at a time, joint by joint, on the CPU"),
        Side("ours", "joints_to_features on all clips"),
    )

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.size = MOTION_SIZES[settings.size]

    def workload(self) -> str:
        """Number and length of the clips."""
        return f"{self.size.clips} clips of {self.size.frames} frames, {HUMANML3D.n_joints} joints"

    def units(self) -> int:
        """Clips."""
        return self.size.clips

    def work(self, side: str, folder: Path) -> Callable[[], Any]:
        """The same joints for both."""
        joints = moving_clips(self.size.clips, self.size.frames, HUMANML3D, self.settings.seed)
        if side == ORIGINAL:
            clips, offsets = joints.numpy(), HUMANML3D.offsets().numpy()
            return lambda: [features_of_clip(clip, HUMANML3D, offsets) for clip in clips]
        joints = joints.to(self.settings.device)
        return lambda: joints_to_features(joints, HUMANML3D)

    def findings(self, output: Any) -> Findings:
        """Features (B, T, F)."""
        return {"features": np.stack([torch.as_tensor(clip).cpu().numpy() for clip in output])}

    def compare(self, original: Findings, own: Findings, dtype: str) -> Check:
        """Up to rounding, the contacts exactly."""
        difference = np.abs(original["features"] - own["features"])
        largest = float(difference[..., :-CONTACTS].max())
        contacts = int((difference[..., -CONTACTS:] > 0).sum())
        return Check(
            largest <= TOLERANCE and contacts == 0,
            f"features differ by {largest:.1e} at most, {contacts} contacts differ",
        )


PART = Features
