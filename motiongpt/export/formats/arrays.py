"""Numpy's own files: the motion itself, nothing changed.

Shape letters: T frames, J joints, F features.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from motiongpt.export.base import Format
from motiongpt.files import replacing, save_array
from motiongpt.motion.sequence import MotionSequence


@dataclass(frozen=True)
class Npy(Format):
    """Joints (frames, joints, 3), float32 metres."""

    endings: ClassVar[tuple[str, ...]] = (".npy",)
    rigid: ClassVar[bool] = False

    def write(self, motion: MotionSequence, path: Path) -> None:
        """See `Format.write`."""
        save_array(path, motion.joints)


@dataclass(frozen=True)
class Npz(Format):
    """Joints, features, frame rate, captions, skeleton and which frames were given."""

    endings: ClassVar[tuple[str, ...]] = (".npz",)
    rigid: ClassVar[bool] = False

    def write(self, motion: MotionSequence, path: Path) -> None:
        """See `Format.write`."""
        features = motion.features
        with replacing(path) as stream:
            np.savez_compressed(
                stream,
                joints=motion.joints,
                features=features,
                fps=np.float64(motion.fps),
                captions=np.array(motion.captions, dtype=np.str_),
                skeleton=np.str_(motion.skeleton.name),
                given=motion.given,
            )
