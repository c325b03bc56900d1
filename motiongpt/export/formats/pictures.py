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

SMALLEST = 32  # pixels; below it nothing can be seen
LOOKS = ("sticks", "mesh")
SEQUENCE, STRIP = "sequence", "strip"


@dataclass(frozen=True)
class Drawn(Build, SideBySide):
    """What all pictures let choose."""

    look: str = option("sticks", "a stick figure, or the body", LOOKS)

    def worn(self) -> "FreeBody | None":
        """The body, where it is to be seen."""
        return self.body() if self.look == "mesh" else None


@dataclass(frozen=True)
class Animation(Drawn):
    """An animated picture."""

    endings: ClassVar[tuple[str, ...]] = (".webp", ".gif")

    size: int = option(320, "width and height in pixels", least=SMALLEST)

    def write_together(self, motions: Sequence[Shown], path: Path) -> None:
        """See `Format.write_together`."""
        from motiongpt.render.animation import save_animation
        from motiongpt.render.film import film_of

        save_animation(film_of(motions, self.size, self.worn()), path)


@dataclass(frozen=True)
class Mp4(Drawn):
    """A film, H.264."""

    endings: ClassVar[tuple[str, ...]] = (".mp4",)

    size: int = option(480, "width and height in pixels, even", least=SMALLEST)

    def write_together(self, motions: Sequence[Shown], path: Path) -> None:
        """See `Format.write_together`."""
        from motiongpt.render.animation import save_film
        from motiongpt.render.film import film_of

        if self.size % 2:
            raise UserError(f"size={self.size}: a film needs an even size")
        save_film(film_of(motions, self.size, self.worn()), path)


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
