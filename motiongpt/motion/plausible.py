"""Whether joints are those of a person in metres, Y up, with bones between them.

Shape letters: T frames, J joints.
"""

import numpy as np

from motiongpt.motion.skeleton import HUMANML3D, Skeleton

# Metres. A crouching child is larger, a person with a raised arm smaller; whatever is beyond is in
# centimetres, millimetres or another unit.
SMALLEST, TALLEST = 0.3, 3.0
SHORTEST_BONE = 1e-5  # metres; below it a bone has no direction but rounding
# Between two frames at the start; a fist at 10 m/s moves as far in 1/40 s, but goes on.
LEAP, LEAP_RATIO = 0.25, 3.0
# Cosine of 60 degrees from the vertical: nobody walks bent further.
UPRIGHT = 0.5


def size_problem(joints: np.ndarray, smallest: float = SMALLEST) -> str | None:
    """Why joints (T, J, 3) are no body in metres: too large or too small; None where they are."""
    size = float(np.median((joints.max(1) - joints.min(1)).max(-1)))
    if smallest <= size <= TALLEST:
        return None
    return f"a body of {size:.3g} m, where {smallest:g} to {TALLEST:g} m are expected"


def lies(joints: np.ndarray, skeleton: Skeleton = HUMANML3D) -> bool:
    """Whether the head is not above the pelvis in most frames of joints (T, J, 3).

    A person who lies or crawls, or one whose file has another axis up.
    """
    spine = joints[:, skeleton.joint_names.index("head")] - joints[:, 0]
    upright = spine[:, 1] > UPRIGHT * np.linalg.norm(spine, axis=-1)
    return bool(upright.mean() < 0.5)


def bone_problem(joints: np.ndarray, skeleton: Skeleton = HUMANML3D) -> str | None:
    """The first two neighbours of joints (T, J, 3) that coincide, so that there is no bone."""
    parents = np.array(skeleton.parents[1:])
    lengths = np.linalg.norm(joints[:, 1:] - joints[:, parents], axis=-1)
    short = lengths < SHORTEST_BONE
    if not short.any():
        return None
    frame, bone = np.argwhere(short)[0]
    names = skeleton.joint_names
    return (
        f"degenerate joints: {names[bone + 1]} and {names[parents[bone]]} coincide in frame {frame}"
    )


def leap(joints: np.ndarray, fps: float) -> int:
    """Frames at the start, of the first second, that a body leaves faster than bodies move.

    Captures begin with a T-pose or another pose of the skeleton, and go on somewhere else: between
    two frames joints move by more than `LEAP` metres, and thrice as far as in any of the frames
    just before and of the ten after. 0 where nothing leaps.

    Args:
        joints: (T, J, 3) metres at the file's own rate.
    """
    steps = np.linalg.norm(np.diff(joints[: int(fps) + 12], axis=0), axis=-1).max(-1, initial=0.0)
    for last in range(min(int(fps), len(steps) - 1), 0, -1):
        beside = np.concatenate([steps[max(0, last - 4) : last - 1], steps[last : last + 10]])
        if steps[last - 1] > max(LEAP, LEAP_RATIO * float(beside.max(initial=0.0))):
            return last
    return 0
