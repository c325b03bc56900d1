"""Which joints of an unknown skeleton are the 22 of HumanML3D, guessed by names and hierarchy.

Names find feet, hands and head, which all rigs call alike; what lies between follows from the
hierarchy, because a `LeftShoulder` is a collar in one rig and the upper arm's joint in another.

Shape letters: T frames, J joints.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np

from motiongpt.data.bvh_hierarchy import BvhJoint
from motiongpt.data.joint_words import (
    ELBOW,
    FOOT,
    HAND,
    HEAD,
    KNEE,
    LEFT,
    RIGHT,
    TOE,
    is_aside,
    is_called,
    side_of,
)
from motiongpt.motion.skeleton import HUMANML3D

Sources = dict[str, tuple[str, ...]]
# Heights of spine1, spine2 and spine3 between pelvis and neck, of HumanML3D's bone lengths.
_SPINE_HEIGHTS = (0.24, 0.50, 0.60)
# Of the way from the hip to the ankle; a shorter bone is none, but rounding.
_NO_BONE = 1e-3


@dataclass(frozen=True)
class JointGuess:
    """What was found.

    Attributes:
        joints: target joint -> source joints whose mean it is; in the order of the 22.
        missing: targets that nothing was found for.
    """

    joints: Mapping[str, tuple[str, ...]]
    missing: tuple[str, ...]


def guess_joints(joints: Sequence[BvhJoint], positions: np.ndarray) -> JointGuess:
    """Guess the 22 joints.

    Args:
        joints: J of a file.
        positions: (T, J, 3) some poses, in any unit and axes; they tell which bones have no length.
    """
    found = _Guesser(joints, positions).sources()
    names = HUMANML3D.joint_names
    return JointGuess(
        {name: found[name] for name in names if name in found},
        tuple(name for name in names if name not in found),
    )


class _Guesser:
    def __init__(self, joints: Sequence[BvhJoint], positions: np.ndarray) -> None:
        self._joints, self._positions = joints, positions
        self._children: list[list[int]] = [[] for _ in joints]
        for index, joint in enumerate(joints):
            if joint.parent >= 0:
                self._children[joint.parent].append(index)
        self._depths = [len(self._up(index)) for index in range(len(joints))]
        self._shortest = 0.0

    def sources(self) -> Sources:
        found: Sources = {}
        limbs = {side: self._leg(side) + self._arm(side) for side in (LEFT, RIGHT)}
        parts = ("hip", "knee", "ankle", "foot", "collar", "shoulder", "elbow", "wrist")
        at = {
            f"{side}_{part}": index
            for side, limb in limbs.items()
            for part, index in zip(parts, limb, strict=True)
            if index is not None
        }
        self._shortest = self._size(at)
        found |= {name: (self._joints[index].name,) for name, index in at.items()}
        middle = self._middle(at)
        found |= middle
        for side in (LEFT, RIGHT):
            if f"{side}_collar" not in found and f"{side}_shoulder" in found and "neck" in found:
                found[f"{side}_collar"] = (*found["neck"], *found[f"{side}_shoulder"])
        return self._with_bones(found)

    def _leg(self, side: str) -> list[int | None]:
        """Hip, knee, ankle and foot."""
        ankle = self._topmost(side, FOOT) or self._below(self._topmost(side, KNEE))
        knee = self._above(ankle)
        return [self._above(knee), knee, ankle, self._toe(ankle)]

    def _arm(self, side: str) -> list[int | None]:
        """Collar, shoulder, elbow and wrist; no collar where the arm begins at the spine."""
        wrist = self._topmost(side, HAND) or self._below(self._topmost(side, ELBOW))
        elbow = self._above(wrist)
        shoulder = self._above(elbow)
        collar = self._above(shoulder)
        if collar is not None and side_of(self._joints[collar].name) != side:
            collar = None
        return [collar, shoulder, elbow, wrist]

    def _middle(self, at: Mapping[str, int]) -> Sources:
        """Pelvis, spine, neck and head."""
        hips = [at.get(f"{side}_hip") for side in (LEFT, RIGHT)]
        arms = [at.get(f"{side}_collar", at.get(f"{side}_shoulder")) for side in (LEFT, RIGHT)]
        pelvis, chest = self._common(hips), self._common(arms)
        if pelvis is None or chest is None:
            return {}
        head = self._head(chest)
        if head is None:
            return {"pelvis": (self._joints[pelvis].name,)}
        spine = self._path(self._common([pelvis, chest]), chest, pelvis)
        neck = self._path(chest, head, chest)[:-1]
        necks = (self._joints[neck[0]].name,) if neck else None
        names = [self._joints[index].name for index in (pelvis, chest, head)]
        return {
            "pelvis": (names[0],),
            "head": (names[2],),
            "neck": necks or (names[1], names[2]),
            **self._spine(pelvis, spine, neck[0] if neck else head),
        }

    def _spine(self, pelvis: int, spine: Sequence[int], neck: int) -> Sources:
        """Three joints of however many there are, at about the target's heights."""
        names = [self._joints[index].name for index in spine]
        low, high = self._joints[pelvis].name, self._joints[neck].name
        if len(names) == 0:
            return {"spine1": (low, low, high), "spine2": (low, high), "spine3": (low, high, high)}
        if len(names) == 1:
            return {"spine1": (low, names[0]), "spine2": (names[0],), "spine3": (names[0], high)}
        if len(names) == 2:
            return {"spine1": (names[0],), "spine2": tuple(names), "spine3": (names[1],)}
        way = np.cumsum([self._length(a, b) for a, b in pairwise((pelvis, *spine, neck))])
        heights = way / max(float(way[-1]), 1e-12)
        best = min(
            combinations(range(len(names)), 3),
            key=lambda three: sum(
                abs(heights[i] - wanted) for i, wanted in zip(three, _SPINE_HEIGHTS, strict=True)
            ),
        )
        return {f"spine{n}": (names[index],) for n, index in enumerate(best, 1)}

    def _with_bones(self, found: Sources) -> Sources:
        """A joint that lies on its parent moves halfway to the next joint out.

        Conversions write joints of OFFSET 0 0 0: what begins there is the bone behind them.
        """
        names = HUMANML3D.joint_names
        for child, parent in enumerate(HUMANML3D.parents):
            name, above = names[child], names[max(parent, 0)]
            if parent < 0 or name not in found or above not in found:
                continue
            if self._distance(found[name], found[above]) > self._shortest:
                continue
            further = [n for n, p in enumerate(HUMANML3D.parents) if p == child]
            if further and names[further[0]] in found:
                found[name] = (*found[name], *found[names[further[0]]])
        return found

    def _head(self, chest: int) -> int | None:
        below = [i for i in range(len(self._joints)) if chest in self._up(i)]
        called = [i for i in below if self._is(i, None, HEAD)]
        if called:
            return min(called, key=lambda index: self._depths[index])
        middle = [i for i in below if side_of(self._joints[i].name) is None and self._ends(i)]
        return max(middle, key=lambda index: self._depths[index], default=None)

    def _toe(self, ankle: int | None) -> int | None:
        if ankle is None:
            return None
        children = self._children[ankle]
        toes = [i for i in children if is_called(self._joints[i].name, TOE | FOOT)]
        plain = [i for i in toes if not is_aside(self._joints[i].name)]
        return next(iter(plain or toes or children), None)

    def _topmost(self, side: str, part: frozenset[str]) -> int | None:
        """The joint of that name that is nearest to the root."""
        called = [index for index in range(len(self._joints)) if self._is(index, side, part)]
        return min(called, key=lambda index: self._depths[index], default=None)

    def _is(self, index: int, side: str | None, part: frozenset[str]) -> bool:
        joint = self._joints[index]
        if not joint.channels or is_aside(joint.name) or side_of(joint.name) != side:
            return False
        toe = part is FOOT and is_called(joint.name, TOE)
        return is_called(joint.name, part) and not toe

    def _ends(self, index: int) -> bool:
        return all(not self._joints[child].channels for child in self._children[index])

    def _below(self, index: int | None) -> int | None:
        """The child that continues a limb."""
        if index is None:
            return None
        plain = [i for i in self._children[index] if not is_aside(self._joints[i].name)]
        return next(iter(plain or self._children[index]), None)

    def _above(self, index: int | None) -> int | None:
        """The parent, joints that only twist left out."""
        while index is not None:
            index = self._joints[index].parent
            if index < 0:
                return None
            if not is_aside(self._joints[index].name):
                return index
        return None

    def _up(self, index: int) -> list[int]:
        """A joint and all above it, up to the root."""
        found = []
        while index >= 0:
            found.append(index)
            index = self._joints[index].parent
        return found

    def _common(self, indices: Sequence[int | None]) -> int | None:
        """The lowest joint that all of them hang from; none of them itself but where one does."""
        given = [index for index in indices if index is not None]
        if len(given) < len(indices):
            return None
        shared = set.intersection(*(set(self._up(index)) for index in given))
        return max(shared, key=lambda index: self._depths[index], default=None)

    def _path(self, top: int | None, bottom: int, start: int) -> list[int]:
        """Joints below `top` down to `bottom` that have a bone, the first seen from `start`."""
        if top is None:
            return []
        chain = [i for i in reversed(self._up(bottom)) if self._depths[i] > self._depths[top]]
        found: list[int] = []
        for index in chain:
            name = self._joints[index].name
            if is_aside(name) and side_of(name) is not None and index != bottom:
                continue  # in the middle, "NeckTwist" is a neck
            if self._length(found[-1] if found else start, index) > self._shortest:
                found.append(index)
        return found

    def _size(self, at: Mapping[str, int]) -> float:
        legs = [(at.get(f"{side}_hip"), at.get(f"{side}_ankle")) for side in (LEFT, RIGHT)]
        lengths = [self._length(a, b) for a, b in legs if a is not None and b is not None]
        return _NO_BONE * max(lengths, default=0.0)

    def _length(self, a: int, b: int) -> float:
        ways = self._positions[:, a] - self._positions[:, b]
        return float(np.median(np.linalg.norm(ways, axis=-1)))

    def _distance(self, one: Sequence[str], two: Sequence[str]) -> float:
        index = {joint.name: i for i, joint in enumerate(self._joints)}
        means = [self._positions[:, [index[name] for name in ns]].mean(1) for ns in (one, two)]
        return float(np.median(np.linalg.norm(means[0] - means[1], axis=-1)))
