"""The free body that wears a motion: what GLB, FBX and USD write."""

from motiongpt.bodies.base import BodyMotion
from motiongpt.bodies.fitting import FitOptions, fit
from motiongpt.bodies.free_body import BUILD, FreeBody
from motiongpt.errors import UserError
from motiongpt.motion.sequence import MotionSequence
from motiongpt.motion.skeleton import HUMANML3D

MOST = 3.0  # of a build's numbers; beyond it the skin turns inside out
CREDIT = "body: MakeHuman's base mesh, CC0"


def built(build: tuple[float, float, float]) -> FreeBody:
    """The body of a build.

    Raises:
        UserError: an impossible one.
    """
    for name, number in zip(BUILD, build, strict=True):
        if not abs(number) <= MOST:
            raise UserError(f"{name}={number:g}: expected -{MOST:g} to {MOST:g}")
    return FreeBody(build)


def worn(
    motion: MotionSequence, build: tuple[float, float, float], ending: str
) -> tuple[FreeBody, BodyMotion]:
    """The body, and its rotations and root that put its joints where the motion has them.

    Args:
        build: masculine, weight and muscle, see `motiongpt.bodies.free_body.BUILD`.
        ending: of the file, for messages.

    Raises:
        UserError: a motion of another skeleton than HumanML3D's, or an impossible build.
    """
    body = built(build)
    if motion.skeleton.name != HUMANML3D.name:
        raise UserError(
            f"{ending}: the body is worn by HumanML3D's {HUMANML3D.n_joints} joints; this motion "
            f"has {motion.skeleton.name}'s {motion.skeleton.n_joints}: write .bvh"
        )
    # No steps: joints of constant bones are met as they are, not weighed against priors.
    (fitted,) = fit(body, [motion.joints], motion.fps, FitOptions(steps=0))
    return body, fitted.motion
