"""GLB: the free body, skinned and animated."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from motiongpt.errors import UserError
from motiongpt.export.base import Format, option
from motiongpt.files import replacing
from motiongpt.motion.sequence import MotionSequence
from motiongpt.motion.skeleton import HUMANML3D

MOST = 3.0  # of a build's numbers; beyond it the skin turns inside out


@dataclass(frozen=True)
class Glb(Format):
    """The free body, skinned and animated, for Blender, engines and viewers."""

    endings: ClassVar[tuple[str, ...]] = (".glb",)

    masculine: float = option(0.0, "the body's build: -1 feminine, 1 masculine")
    weight: float = option(0.0, "the body's build: -1 slim, 1 heavy")
    muscle: float = option(0.0, "the body's build: -1 weak, 1 strong")

    def write(self, motion: MotionSequence, path: Path) -> None:
        """See `Format.write`."""
        with replacing(path) as stream:
            stream.write(self.content(motion))

    def content(self, motion: MotionSequence) -> bytes:
        """The file's bytes.

        Raises:
            UserError: a motion of another skeleton than HumanML3D's, or an impossible build.
        """
        from motiongpt.bodies.fitting import FitOptions, fit
        from motiongpt.bodies.free_body import BUILD, FreeBody
        from motiongpt.export.skinned import skinned_glb

        build = (self.masculine, self.weight, self.muscle)
        for name, number in zip(BUILD, build, strict=True):
            if not abs(number) <= MOST:
                raise UserError(f"{name}={number:g}: expected -{MOST:g} to {MOST:g}")
        if motion.skeleton.name != HUMANML3D.name:
            raise UserError(
                f".glb: the body is worn by HumanML3D's {HUMANML3D.n_joints} joints; this motion "
                f"has {motion.skeleton.name}'s {motion.skeleton.n_joints}: write .bvh"
            )
        body = FreeBody(build)
        # No steps: joints of constant bones are met as they are, not weighed against priors.
        (fitted,) = fit(body, [motion.joints], motion.fps, FitOptions(steps=0))
        return skinned_glb(body, fitted.motion, motion.captions[0] if motion.captions else "")
