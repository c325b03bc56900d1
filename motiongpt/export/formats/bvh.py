"""BVH: a skeleton with rotations."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from motiongpt.export.base import Format, option
from motiongpt.files import write_text
from motiongpt.motion.joint_names import CHOICES, OWN, names_of
from motiongpt.motion.sequence import MotionSequence

PER_METRE = {"m": 1.0, "cm": 100.0}


@dataclass(frozen=True)
class BvhFile(Format):
    """A skeleton with rotations, for Blender and game engines; Y up, the rest pose is a T."""

    endings: ClassVar[tuple[str, ...]] = (".bvh",)

    names: str = option(OWN, "names of the joints", CHOICES)
    unit: str = option("m", "metres or centimetres", tuple(PER_METRE))

    def write(self, motion: MotionSequence, path: Path) -> None:
        """See `Format.write`."""
        from motiongpt.export.bvh import bvh_text

        names = names_of(motion.skeleton, self.names)
        scale = PER_METRE[self.unit]
        write_text(path, bvh_text(motion.joints, motion.skeleton, motion.fps, names, scale))
