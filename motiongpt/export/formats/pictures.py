"""Pictures: films of a motion, and a motion whole in one picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from motiongpt.errors import UserError
from motiongpt.export.base import SideBySide, option
from motiongpt.export.build import Build
from motiongpt.files import save_with
from motiongpt.render.shown import Shown

if TYPE_CHECKING:
    from motiongpt.bodies.free_body import FreeBody
    from motiongpt.render.film import Film

SMALLEST = 32  # pixels; below it nothing can be seen
LOOKS = ("sticks", "mesh")
RENDERERS = ("own", "blender")
SEQUENCE, STRIP = "sequence", "strip"


@dataclass(frozen=True)
class Drawn(Build, SideBySide):
    """What all pictures let choose."""

    look: str = option("sticks", "a stick figure, or the body", LOOKS)

    def worn(self) -> "FreeBody | None":
        """The body, where it is to be seen."""
        return self.body() if self.look == "mesh" else None


@dataclass(frozen=True)
class Moving(Drawn):
    """What films let choose."""

    renderer: str = option("own", "blender: by its Cycles, always the body; slow", RENDERERS)
    blender: str = option("blender", "the program, by name or path")
    samples: int = option(16, "of a pixel, by Blender: more are slower, less grainy", least=1)

    def film(self, motions: Sequence[Shown], size: int) -> "Film":
        """The motions that move.

        Raises:
            UserError: several for Blender, which draws one; no Blender.
        """
        from motiongpt.render.film import film_of

        if self.renderer == "own":
            return film_of(motions, size, self.worn())
        from motiongpt.export.formats.glb import Glb
        from motiongpt.render.blender_film import blender_film

        if len(motions) > 1:
            raise UserError("renderer=blender draws one motion; leave renderer out for several")
        scene = Glb(*self.build).content(motions[0].motion)
        return blender_film(motions[0], size, self.body(), scene, self.blender, self.samples)


@dataclass(frozen=True)
class Animation(Moving):
    """An animated picture."""

    endings: ClassVar[tuple[str, ...]] = (".webp", ".gif")

    size: int = option(320, "width and height in pixels", least=SMALLEST)

    def write_together(self, motions: Sequence[Shown], path: Path) -> None:
        """See `Format.write_together`."""
        from motiongpt.render.animation import save_animation

        save_animation(self.film(motions, self.size), path)


@dataclass(frozen=True)
class Mp4(Moving):
    """A film, H.264."""

    endings: ClassVar[tuple[str, ...]] = (".mp4",)

    size: int = option(480, "width and height in pixels, even", least=SMALLEST)

    def write_together(self, motions: Sequence[Shown], path: Path) -> None:
        """See `Format.write_together`."""
        from motiongpt.render.animation import save_film

        if self.size % 2:
            raise UserError(f"size={self.size}: a film needs an even size")
        save_film(self.film(motions, self.size), path)


@dataclass(frozen=True)
class Picture(Drawn):
    """The whole motion in one picture, for where nothing moves."""

    endings: ClassVar[tuple[str, ...]] = (".png",)

    mode: str = option(STRIP, "poses in a row, or along the way in one view", (STRIP, SEQUENCE))
    size: int = option(240, "height of a pose's or a view's picture in pixels", least=SMALLEST)
    poses: int = option(6, "how many poses at most", least=1)

    def write_together(self, motions: Sequence[Shown], path: Path) -> None:
        """See `Format.write_together`."""
        from motiongpt.render.film import sequence_of
        from motiongpt.render.strip import strip_of

        if self.mode == SEQUENCE:
            sheet = sequence_of(motions, self.size, self.poses, self.worn())
        else:
            sheet = strip_of(motions, self.size, self.poses, self.worn())
        save_with(path, lambda temporary: sheet.save(temporary, format="PNG"), suffix=".png")
