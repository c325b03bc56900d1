"""USD: the free body, skinned and animated, as film tools and NVIDIA Omniverse have it."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

from motiongpt.errors import UserError
from motiongpt.export.base import Format
from motiongpt.export.build import Build
from motiongpt.files import save_with
from motiongpt.motion.sequence import MotionSequence


@dataclass(frozen=True)
class UsdFile(Build, Format):
    """The free body, skinned and animated, for film tools, by usd-core where it is installed."""

    endings: ClassVar[tuple[str, ...]] = (".usd", ".usda", ".usdc")

    def write(self, motion: MotionSequence, path: Path) -> None:
        """See `Format.write`.

        Raises:
            UserError: also where usd-core is absent.
        """
        if find_spec("pxr") is None:
            raise UserError(
                f"{path}: {path.suffix} is written by the package usd-core, which is absent: "
                "pip install 'motiongpt-platform[usd]', or write .glb"
            )
        from motiongpt.export.usd_scene import write_usd
        from motiongpt.export.worn_body import worn

        body, moved = worn(motion, self.build, path.suffix)
        caption = motion.captions[0] if motion.captions else ""
        save_with(path, lambda out: write_usd(out, body, moved, caption), suffix=path.suffix)
