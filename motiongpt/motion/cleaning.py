"""Motions cleaned for the eye: steps that are asked for by name, in an order that works.

Nothing of it happens in evaluation, where a motion is judged as it was generated.
Shape letters: T frames, J joints.
"""

from collections.abc import Iterable

import numpy as np

from motiongpt.errors import UserError
from motiongpt.motion.foot_lock import feet_locked
from motiongpt.motion.rigid import is_rigid, rigid_motion
from motiongpt.motion.skeleton import Skeleton
from motiongpt.motion.smoothing import smoothed

FEET, SMOOTH = "feet", "smooth"
STEPS = (FEET, SMOOTH)


def cleaned(
    joints: np.ndarray,
    skeleton: Skeleton,
    fps: float,
    steps: Iterable[str] = (),
    rigid: bool = False,
) -> np.ndarray:
    """Joints (T, J, 3) in metres after some steps, as float64.

    Smoothing comes first, then bones are made rigid, and feet are locked last: both others would
    move them again.

    Args:
        steps: of `STEPS`: "feet" locks feet that stand, "smooth" takes trembling away.
        rigid: give bones a constant length; those that have one keep it in any case.

    Raises:
        UserError: a step that there is not.
    """
    asked = checked_steps(steps)
    found = np.asarray(joints, np.float64)
    rigid = rigid or is_rigid(found, skeleton)
    if SMOOTH in asked:
        found = smoothed(found, fps)
    if rigid and not is_rigid(found, skeleton):
        found = rigid_motion(found, skeleton, fps).joints()
    return feet_locked(found, skeleton, fps) if FEET in asked else found


def checked_steps(steps: Iterable[str]) -> tuple[str, ...]:
    """Names of steps, or one text with commas between them.

    Raises:
        UserError: there is no such step.
    """
    words = steps.split(",") if isinstance(steps, str) else list(steps)
    found = tuple(word.strip() for word in words if word.strip())
    for word in found:
        if word not in STEPS:
            raise UserError(f"clean={word}: choose of {', '.join(STEPS)}")
    return found
