"""What becomes of a motion before any format writes it."""

from motiongpt.motion.sequence import MotionSequence


def prepared(motion: MotionSequence, fps: float | None) -> MotionSequence:
    """The motion as it is to be written.

    Args:
        fps: frames per second; the motion's if None.
    """
    return motion if fps is None else motion.at(fps)
