"""BVH: a skeleton with rotations."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from motiongpt.export.base import Format
from motiongpt.export.bvh import bvh_text
from motiongpt.files import write_text
from motiongpt.motion.sequence import MotionSequence


@dataclass(frozen=True)
class BvhFile(Format):
    """A skeleton with rotations, for Blender and game engines."""

    endings: ClassVar[tuple[str, ...]] = (".bvh",)

    def write(self, motion: MotionSequence, path: Path) -> None:
        """See `Format.write`."""
        write_text(path, bvh_text(motion.joints, motion.skeleton, motion.fps))
