"""The pose in which no joint is turned: a T-pose, Y up, facing +Z, the left side at +X.

The features' own rest pose has the arms hanging, so that an arm that is raised turns by half a
turn, about which axis nobody can say. Animators and game engines rest in a T: an arm is at most
130 degrees from it, a leg 120.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from motiongpt.motion.skeleton import AHEAD, DOWN, LEFT, UP, Skeleton, Vector

# A foot that stands flat: its toe joint lies below the ankle, by 17 degrees in CMU's standing
# frames, 24 on HumanML3D's body and 38 in Bandai-Namco's.
FLAT_FOOT: Vector = (0.0, -0.42, 0.907524)
_OF_PART: Mapping[str, Vector] = {
    **dict.fromkeys(("spine", "spine1", "spine2", "spine3", "chest", "neck", "head"), UP),
    **dict.fromkeys(("hip", "collar", "shoulder", "elbow", "wrist"), LEFT),
    **dict.fromkeys(("knee", "ankle"), DOWN),
    "heel": AHEAD,  # KIT's lies before the ankle
}


@dataclass(frozen=True)
class Limb:
    """An arm or a leg: a hinge between two bones tells how the first is turned about itself.

    Attributes:
        joints: shoulder, elbow, wrist, or hip, knee, ankle and, of a leg, what follows.
        axis: about which the hinge bends, in the rest pose: right-handed from the first bone's
            direction to the second's.
    """

    joints: tuple[int, ...]
    axis: Vector


def t_pose(skeleton: Skeleton) -> np.ndarray:
    """Unit directions (J, 3) from the parent in the rest pose; zero for the root."""
    found = np.zeros((skeleton.n_joints, 3))
    for joint, name in enumerate(skeleton.joint_names[1:], start=1):
        side, _, part = name.rpartition("_")
        above = skeleton.joint_names[skeleton.parents[joint]]
        flat = FLAT_FOOT if above.endswith("ankle") else AHEAD
        found[joint] = _OF_PART.get(part, flat)
        found[joint, 0] *= -1 if side == "right" else 1
    return found


def limbs(skeleton: Skeleton) -> tuple[Limb, ...]:
    """The two legs and the two arms."""
    index = {name: joint for joint, name in enumerate(skeleton.joint_names)}
    found = []
    for side, turn in (("left", -1.0), ("right", 1.0)):
        leg = [index[f"{side}_{part}"] for part in ("hip", "knee", "ankle")]
        leg.append(skeleton.parents.index(leg[-1]))
        arm = [index[f"{side}_{part}"] for part in ("shoulder", "elbow", "wrist")]
        found += [Limb(tuple(leg), (1.0, 0.0, 0.0)), Limb(tuple(arm), (0.0, turn, 0.0))]
    return tuple(found)
