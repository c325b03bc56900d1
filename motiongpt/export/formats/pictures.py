"""Stick figures: animations and strips of poses."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from motiongpt.export.base import Format, option
from motiongpt.motion.sequence import MotionSequence

SMALLEST = 32  # pixels; below it nothing can be seen


@dataclass(frozen=True)
class Animation(Format):
    """An animated stick figure."""

    endings: ClassVar[tuple[str, ...]] = (".webp", ".gif")

    size: int = option(320, "width and height in pixels", least=SMALLEST)

    def write(self, motion: MotionSequence, path: Path) -> None:
        """See `Format.write`."""
        from motiongpt.render.stick_figure import render_animation

        render_animation(
            motion.joints,
            motion.skeleton,
            path,
            first_caption(motion),
            given=motion.given,
            size=self.size,
            fps=motion.fps,
        )


@dataclass(frozen=True)
class Strip(Format):
    """A strip of poses, for where nothing moves."""

    endings: ClassVar[tuple[str, ...]] = (".png",)

    size: int = option(240, "width and height of a pose in pixels", least=SMALLEST)
    poses: int = option(6, "how many poses at most", least=1)

    def write(self, motion: MotionSequence, path: Path) -> None:
        """See `Format.write`."""
        from motiongpt.render.strip import render_strip

        skeleton = replace(motion.skeleton, fps=motion.fps)  # seconds are written below the poses
        render_strip(
            motion.joints,
            skeleton,
            path,
            first_caption(motion),
            poses=min(self.poses, motion.frames),
            size=self.size,
            given=motion.given,
        )


def first_caption(motion: MotionSequence) -> str:
    """What stands above a picture."""
    return motion.captions[0] if motion.captions else ""
