"""Clips perturbed so that their caption no longer tells of them: what a matching has to tell apart.

Ours, not TMR's. All is done on raw features: exact, and a hundredth of the cost of going by joints.
Shape letters: T frames, F features, J joints.
"""

import re
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, get_args

import numpy as np

from motiongpt.data.statistics import channel_groups
from motiongpt.motion.skeleton import Skeleton

Kind = Literal["shuffled", "reversed", "mirrored"]
KINDS: tuple[Kind, ...] = get_args(Kind)
LONGEST_PIECE = 4
"""Frames that may stay together when a clip is shuffled: a fifth of a second at 20 fps."""
NEARLY = 0.1
"""Mean change of a normalised feature below which a perturbed clip is still the clip: one that
stands still has no order."""
FAR, HIGH, TURNED = 0.5, 0.15, np.pi / 4
"""Metres that a clip moves along or across its heading, metres that the root ends higher or lower,
and radians that it turns, from which on its reverse is another action."""
EDGE = 3
"""Frames over which the height at either end is averaged."""
LEFT, RIGHT = r"\bleft", r"\bright(?! (?:away|after|now)\b)"
CLOCKWISE = r"(?<!counter)(?<!counter-)(?<!counter )(?<!anti)(?<!anti-)(?<!anti )clockwise"
AGAINST = r"(?:counter|anti)[- ]?clockwise"
ORDER = r"\b(?:then|after|afterwards|before|first|finally|followed|next)\b"


class Perturbed(NamedTuple):
    """Raw features (T', F), and what was done to them; None where the caption may still be true."""

    clip: np.ndarray
    wrong: Kind | None


class HardNegatives:
    """Draws a perturbed clip of which the caption is not true, where there is one.

    shuffled: short pieces in random order, wrong for every caption of a clip that moves.
    reversed: backwards in time, wrong where the clip walks or ends higher or lower than it began,
        where the caption tells an order of things, and where it names one side and the clip moves
        or turns to it. A wave reversed is a wave.
    mirrored: left for right, wrong where the caption names one side only. Without a side in it, or
        with both, it may be just as true.

    Args:
        kinds: of which one is drawn, each as likely.
        skeleton: of the features.
        std: (F,) that features are divided by.
    """

    def __init__(self, kinds: Sequence[Kind], skeleton: Skeleton, std: np.ndarray) -> None:
        self.kinds, self.skeleton, self.std = tuple(kinds), skeleton, std
        self._makers: dict[Kind, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
            "shuffled": shuffled,
            "reversed": lambda clip, draw: reversed_in_time(clip, skeleton),
            "mirrored": lambda clip, draw: mirrored(clip, skeleton),
        }

    def draw(self, clip: np.ndarray, caption: str, rng: np.random.Generator) -> Perturbed:
        """A perturbed clip of raw features (T, F); the clip itself where no kind makes one."""
        fitting = [kind for kind in self.kinds if self._may_be_wrong(kind, clip, caption)]
        if not fitting:
            return Perturbed(clip, None)
        kind = fitting[int(rng.integers(len(fitting)))]
        made = self._makers[kind](clip, rng)
        change = np.abs(made - clip[: len(made)]) / self.std
        return Perturbed(made, kind if change.mean() > NEARLY else None)

    def _may_be_wrong(self, kind: Kind, clip: np.ndarray, caption: str) -> bool:
        if len(clip) < 2 * LONGEST_PIECE:
            return False
        if kind == "reversed":
            return _has_direction(clip, caption)
        return kind == "shuffled" or names_one_side(caption)


def names_one_side(caption: str) -> bool:
    """Whether a caption names left or right, or a sense of turning, and not the other one too."""
    said = caption.lower()
    sides, senses = (
        [bool(re.search(one, said)) for one in pair]
        for pair in ((LEFT, RIGHT), (CLOCKWISE, AGAINST))
    )
    return sides[0] != sides[1] or senses[0] != senses[1]


def _has_direction(clip: np.ndarray, caption: str) -> bool:
    """Whether its reverse is another action than the caption's."""
    turn, across, along = clip[:, :3].sum(0)
    height = clip[-EDGE:, 3].mean() - clip[:EDGE, 3].mean()
    if abs(along) > FAR or abs(height) > HIGH or re.search(ORDER, caption.lower()):
        return True
    # The first feature is half the angle.
    sideways = abs(across) > FAR or abs(2 * turn) > TURNED
    return bool(sideways and names_one_side(caption))


def shuffled(clip: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Pieces of one to `LONGEST_PIECE` frames of a clip (T, F), of one length, in random order."""
    piece = int(rng.integers(1, LONGEST_PIECE + 1))
    pieces = np.array_split(np.arange(len(clip)), -(-len(clip) // piece))
    order = rng.permutation(len(pieces))
    return clip[np.concatenate([pieces[index] for index in order])]


def reversed_in_time(clip: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """Features (T - 1, F) of the clip (T, F) played backwards.

    A row holds the pose of its frame and the step to the next one; backwards, the step belongs to
    the frame that it ended at, points the other way, and is told in the heading there.
    """
    turn, root, height, positions, rotations, velocities, contacts = channel_groups(skeleton)
    poses, steps = clip[:0:-1], clip[-2::-1]
    found = np.empty_like(poses)
    for group in (height, positions, rotations):
        found[:, group] = poses[:, group]
    found[:, contacts] = steps[:, contacts]
    found[:, turn] = -steps[:, turn]
    angle = 2 * steps[:, 0]
    found[:, root] = -np.stack(_turned(steps[:, 1], steps[:, 2], -angle), axis=1)
    moved = steps[:, velocities].reshape(len(steps), -1, 3)
    x, z = _turned(moved[..., 0], moved[..., 2], angle[:, None])
    found[:, velocities] = -np.stack([x, moved[..., 1], z], axis=-1).reshape(len(steps), -1)
    return found


def mirrored(clip: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """Features (T, F) of the clip with left and right exchanged."""
    turn, root, _, positions, rotations, velocities, contacts = channel_groups(skeleton)
    swap = np.array([skeleton.joint_names.index(_other(name)) for name in skeleton.joint_names])
    found = clip.copy()
    found[:, turn] *= -1
    found[:, root.start] *= -1
    for group, joints, signs in (
        (positions, swap[1:] - 1, (-1, 1, 1)),
        # The first two columns of a rotation matrix, of which the mirror changes the sign of
        # what stands in one row and another column of x.
        (rotations, swap[1:] - 1, (1, -1, -1, -1, 1, 1)),
        (velocities, swap, (-1, 1, 1)),
    ):
        rows = clip[:, group].reshape(len(clip), len(joints), len(signs))
        found[:, group] = (rows[:, joints] * np.array(signs, clip.dtype)).reshape(len(clip), -1)
    found[:, contacts] = clip[:, contacts][:, [2, 3, 0, 1]]
    return found


def _other(name: str) -> str:
    """The joint on the other side, itself in the middle."""
    if name.startswith("left_"):
        return f"right_{name.removeprefix('left_')}"
    return f"left_{name.removeprefix('right_')}" if name.startswith("right_") else name


def _turned(x: np.ndarray, z: np.ndarray, angle: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """x and z after a turn about Y."""
    sine, cosine = np.sin(angle), np.cos(angle)
    return x * cosine + z * sine, z * cosine - x * sine
