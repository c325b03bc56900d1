"""What becomes of a motion before any format writes it."""

from collections.abc import Iterable

import numpy as np

from motiongpt.errors import UserError
from motiongpt.motion.cleaning import checked_steps, cleaned
from motiongpt.motion.rigid import is_rigid, rigid_motion
from motiongpt.motion.sequence import MotionSequence

SLOWEST, FASTEST = 1.0, 1000.0  # frames per second; every reader of BVH takes them


def prepared(
    motion: MotionSequence, fps: float | None, rigid: bool, clean: Iterable[str]
) -> MotionSequence:
    """The motion as it is to be written; the same object where nothing changes.

    Args:
        fps: frames per second; the motion's if None.
        rigid: give bones a constant length.
        clean: steps of `motiongpt.motion.cleaning`.

    Raises:
        UserError: no frame rate, or a step that there is not.
    """
    steps = checked_steps(clean)
    if fps is not None and not SLOWEST <= fps <= FASTEST:
        raise UserError(f"fps={fps:g}: expected {SLOWEST:g} to {FASTEST:g} frames per second")
    if steps or (rigid and not is_rigid(motion.joints, motion.skeleton)):
        motion = with_joints(
            motion, cleaned(motion.joints, motion.skeleton, motion.fps, steps, rigid)
        )
    return motion if fps is None else at_rate(motion, fps)


def with_joints(motion: MotionSequence, joints: np.ndarray) -> MotionSequence:
    """The same motion with other joints."""
    found = joints.astype(np.float32)
    return type(motion)(found, motion.fps, motion.captions, motion.skeleton, motion.given)


def at_rate(motion: MotionSequence, fps: float) -> MotionSequence:
    """The motion at another frame rate; bones of constant length keep it between frames."""
    other = motion.at(fps)
    if other is motion or not is_rigid(motion.joints, motion.skeleton):
        return other
    joints = rigid_motion(motion.joints, motion.skeleton, motion.fps).at(fps).joints()
    return with_joints(other, joints)
