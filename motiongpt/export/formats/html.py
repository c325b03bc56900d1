"""HTML: a page on which the motion is turned and played, which asks nothing of the network."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from motiongpt.export.base import SideBySide, option
from motiongpt.export.build import Build
from motiongpt.files import write_text
from motiongpt.render.shown import Shown

AUTO = "auto"
FOLLOW = {AUTO: None, "true": True, "false": False}


@dataclass(frozen=True)
class Html(Build, SideBySide):
    """A page to turn, play and compare motion in, whole in one file."""

    endings: ClassVar[tuple[str, ...]] = (".html",)

    look: str = option(
        "mesh", "the body or a stick figure; the page can change it", ("mesh", "sticks")
    )
    follow: str = option(AUTO, "the view walks along; auto where people were small", tuple(FOLLOW))
    play: bool = option(True, "play when the page opens")
    title: str = option("", "above the page; the caption where it is not given")

    def write_together(self, motions: Sequence[Shown], path: Path) -> None:
        """See `Format.write_together`."""
        write_text(path, self.content(motions, path.stem))

    def content(self, motions: Sequence[Shown], otherwise: str = "motion") -> str:
        """The page; `otherwise` is its title where there is no other."""
        from motiongpt.viewer.page import Choices, viewer_page

        choices = Choices(mesh=self.look == "mesh", follow=FOLLOW[self.follow], play=self.play)
        title = self.title or otherwise
        return viewer_page(motions, title, choices, self.body())
