"""One clip: which actions, who performs them, where, and in which words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from motiongpt.data.synthetic.action import Action
from motiongpt.data.synthetic.body import joints
from motiongpt.data.synthetic.curves import FPS, wander
from motiongpt.data.synthetic.performer import Performer, draw_performer
from motiongpt.data.synthetic.pose import SIDE, Pose, joined, placed
from motiongpt.data.synthetic.words import Words

SHORTEST, LONGEST = 40, 196  # frames of features; a clip has one frame of joints more
IN_SEQUENCE = 0.25  # part of the clips with two actions
ATTEMPTS = 100


@dataclass(frozen=True)
class Segment:
    """One action within a clip: frames `start` to `end` (exclusive) show it."""

    action: str
    parameters: Any
    start: int
    end: int


@dataclass(frozen=True)
class Scene:
    """A composed clip: joints (T + 1, 22, 3) float32 metres, captions, what they must say."""

    joints: np.ndarray
    captions: tuple[str, ...]
    segments: tuple[Segment, ...]


def compose(rng: np.random.Generator, first: Action, others: Sequence[Action]) -> Scene:
    """Draw and perform a clip that starts with `first`; a quarter go on with one of `others`."""
    performer = draw_performer(rng)
    for _ in range(ATTEMPTS):
        cast = [first]
        if others and rng.random() < IN_SEQUENCE:
            cast.append(others[int(rng.integers(len(others)))])
        parameters = [action.draw(rng) for action in cast]
        if len(cast) == 2 and not first.ends_standing(parameters[0]):
            continue
        poses = [
            action.perform(values, performer, rng)
            for action, values in zip(cast, parameters, strict=True)
        ]
        frames = sum(pose.frames for pose in poses) - len(poses)
        if SHORTEST <= frames <= LONGEST:
            break
    else:
        names = "+".join(action.name for action in cast)
        raise RuntimeError(f"{names}: no draw gives {SHORTEST} to {LONGEST} frames")
    segments, start = [], 0
    for action, values, pose in zip(cast, parameters, poses, strict=True):
        segments.append(Segment(action.name, values, start, start + pose.frames))
        start += pose.frames - 1
    pose = poses[0] if len(poses) == 1 else joined(poses[0], poses[1])
    pose = _alive(pose, performer, rng)
    x, z = rng.uniform(-1.0, 1.0, 2)
    pose = placed(pose, x, z, rng.uniform(-3.1, 3.1))
    words = Words(rng)
    captions = _captions(cast, parameters, words, int(rng.integers(2, 4)))
    return Scene(joints(pose), captions, tuple(segments))


def _captions(
    cast: Sequence[Action], parameters: Sequence[Any], words: Words, count: int
) -> tuple[str, ...]:
    """`count` different sentences."""
    captions: dict[str, None] = {}
    for _ in range(ATTEMPTS):
        phrases = [
            words.pick(*action.phrases(values, words))
            for action, values in zip(cast, parameters, strict=True)
        ]
        captions[words.sentence(phrases)] = None
        if len(captions) == count:
            return tuple(captions)
    raise RuntimeError(f"{cast[0].name}: fewer than {count} different captions")


def _alive(pose: Pose, performer: Performer, rng: np.random.Generator) -> Pose:
    """Small slow movements that nobody is without: millimetres of sway, a degree in the arms."""
    time = np.arange(pose.frames) / FPS
    drift = wander(rng, time, 14) * performer.vigour
    pose.pelvis[:, [0, 2]] += 0.002 * drift[:, 0:2]
    pose.spine += np.deg2rad(0.5) * drift[:, 2:5]
    pose.hips[:, SIDE] += np.deg2rad(0.3) * drift[:, 5]
    pose.head += np.deg2rad(1.0) * drift[:, 6:9]
    pose.arms[:, :, :2] += np.deg2rad(0.6) * drift[:, 9:13].reshape(-1, 2, 2)
    return pose
