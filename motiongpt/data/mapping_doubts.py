"""What of mapped joints can hardly be a body: a wrong joint in a mapping shows in its bones.

Shape letters: T frames, J joints.
"""

from collections.abc import Iterator

import numpy as np

from motiongpt.motion.skeleton import HUMANML3D

# Limbs whose bones people have alike on both sides, and in much the same share of the legs.
LIMBS = (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"))
UNLIKE_SIDES = 1.5  # captures of one person differ by a tenth
UNLIKE_BODIES = 2.5  # of a limb to the legs, beside HumanML3D's; children's by a fifth


def mapping_doubts(joints: np.ndarray) -> list[str]:
    """Lines that name the joints which are likely wrong; none where all is a body.

    Args:
        joints: (T, 22, 3) metres, Y up.
    """
    at = {name: joints[:, index] for index, name in enumerate(HUMANML3D.joint_names)}
    usual = dict(zip(HUMANML3D.joint_names, HUMANML3D.bone_lengths, strict=True))
    found = list(_unlike_sides(at))
    if not found:
        found = list(_unlike_bodies(at, usual))
    if not found and _swapped(at):
        found = ["the feet point backwards: left and right are likely swapped in the mapping"]
    return found


def _length(at: dict[str, np.ndarray], side: str, upper: str, lower: str) -> float:
    way = at[f"{side}_{upper}"] - at[f"{side}_{lower}"]
    return float(np.median(np.linalg.norm(way, axis=-1)))


def _unlike_sides(at: dict[str, np.ndarray]) -> Iterator[str]:
    for upper, lower in LIMBS:
        left, right = (_length(at, side, upper, lower) for side in ("left", "right"))
        if max(left, right) > UNLIKE_SIDES * min(left, right):
            yield (
                f"{upper} to {lower} is {left:.2f} m on the left and {right:.2f} m on the right: "
                f"left_{upper}, left_{lower}, right_{upper} or right_{lower} is another joint"
            )


def _unlike_bodies(at: dict[str, np.ndarray], usual: dict[str, float]) -> Iterator[str]:
    def mean(upper: str, lower: str) -> float:
        return (_length(at, "left", upper, lower) + _length(at, "right", upper, lower)) / 2

    scale = sum(mean(*limb) for limb in LIMBS[:2]) / sum(
        usual[f"left_{lower}"] for _, lower in LIMBS[:2]
    )
    for upper, lower in LIMBS:
        expected, found = scale * usual[f"left_{lower}"], mean(upper, lower)
        if max(expected, found) > UNLIKE_BODIES * min(expected, found):
            yield (
                f"{upper} to {lower} is {found:.2f} m, where {expected:.2f} m would go with the "
                f"legs: {upper} or {lower} is another joint"
            )


def _swapped(at: dict[str, np.ndarray]) -> bool:
    """Whether the toes are mostly behind the ankles, seen by who has left at the left."""
    across = at["left_hip"] - at["right_hip"]
    ahead = np.cross(across, np.array([0.0, 1.0, 0.0]))
    feet = sum(at[f"{side}_foot"] - at[f"{side}_ankle"] for side in ("left", "right"))
    return bool(((ahead * feet).sum(-1) < 0).mean() > 0.8)
