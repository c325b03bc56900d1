"""GLB: the free body, skinned and animated."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from motiongpt.export.base import Format
from motiongpt.export.build import Build
from motiongpt.files import replacing
from motiongpt.motion.sequence import MotionSequence


@dataclass(frozen=True)
class Glb(Build, Format):
    """The free body, skinned and animated, for Blender, engines and viewers."""

    endings: ClassVar[tuple[str, ...]] = (".glb",)

    def write(self, motion: MotionSequence, path: Path) -> None:
        """See `Format.write`."""
        with replacing(path) as stream:
            stream.write(self.content(motion))

    def content(self, motion: MotionSequence) -> bytes:
        """The file's bytes.

        Raises:
            UserError: as of `worn_body.worn`.
        """
        from motiongpt.export.skinned import skinned_glb
        from motiongpt.export.worn_body import worn

        body, moved = worn(motion, self.build, ".glb")
        return skinned_glb(body, moved, motion.captions[0] if motion.captions else "")
