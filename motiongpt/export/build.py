"""Options of every format that shows the free body."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from motiongpt.export.base import option

if TYPE_CHECKING:
    from motiongpt.bodies.free_body import FreeBody


@dataclass(frozen=True)
class Build:
    """How the body is built; joints say nothing about it."""

    masculine: float = option(0.0, "the body's build: -1 feminine, 1 masculine")
    weight: float = option(0.0, "the body's build: -1 slim, 1 heavy")
    muscle: float = option(0.0, "the body's build: -1 weak, 1 strong")

    @property
    def build(self) -> tuple[float, float, float]:
        """As `FreeBody` takes it."""
        return self.masculine, self.weight, self.muscle

    def body(self) -> FreeBody:
        """The body of this build.

        Raises:
            UserError: an impossible one.
        """
        from motiongpt.export.worn_body import built

        return built(self.build)
