"""Motions as a page carries them: joints, contacts, given frames, words.

Shape letters: T frames, J joints.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from motiongpt.bodies.free_body import FreeBody
from motiongpt.motion.contacts import floor_height, runs, standing
from motiongpt.motion.skeleton import Skeleton
from motiongpt.render.figure import HEAD_RADIUS, NOSE_RADIUS, Figure, body_height, trunk_chain
from motiongpt.render.looks import can_wear, worn_by
from motiongpt.render.shown import Shown
from motiongpt.viewer.body import packed_worn
from motiongpt.viewer.packing import packed, quantised

NOSE_AHEAD = 1.02  # of the head's radius, as the pictures have it


def packed_clips(shown: Sequence[Shown], body: FreeBody | None) -> list[dict[str, Any]]:
    """Clips, as `page/clip.js` reads them; `body` None for a page of stick figures.

    Raises:
        UserError: given frames that a motion does not have.
    """
    can = [body is not None and can_wear(one.motion) for one in shown]
    wearing = [one.motion for one, worn in zip(shown, can, strict=True) if worn]
    poses = iter(() if body is None else worn_by(body, wearing))
    return [
        {**_clip(one), "body": packed_worn(body, next(poses)) if body and worn else None}
        for one, worn in zip(shown, can, strict=True)
    ]


def _clip(shown: Shown) -> dict[str, Any]:
    """All but the body."""
    motion = shown.motion
    root = motion.joints[:, 0]
    feet = motion.joints[:, [*motion.skeleton.feet_left, *motion.skeleton.feet_right]]
    ground = floor_height(feet)
    return {
        "name": shown.name,
        "caption": shown.words,
        "group": shown.group,
        "skeleton": motion.skeleton.name,
        "fps": motion.fps,
        "frames": motion.frames,
        "height": body_height(motion.joints, motion.skeleton),
        "floor": _floor(motion.joints),
        "top": float(motion.joints[..., 1].max()) - _floor(motion.joints),
        "root": packed(root),
        "joints": quantised(motion.joints - root[:, None]),
        "given": shown.given_runs(),
        "contacts": [
            runs(standing(motion.joints[:, foot[1]], ground, motion.fps))
            for foot in (motion.skeleton.feet_left, motion.skeleton.feet_right)
        ],
    }


def packed_skeleton(skeleton: Skeleton) -> dict[str, Any]:
    """What the stick figure of a skeleton is made of: that of the pictures."""
    figure = Figure(skeleton, 1.0)
    trunk = trunk_chain(skeleton)
    return {
        "joints": skeleton.n_joints,
        "rods": [{"ends": rod.ends, "side": rod.side} for rod in figure.rods],
        "head": {"point": figure.head, "radius": HEAD_RADIUS},
        "nose": {"point": figure.nose, "radius": NOSE_RADIUS},
        "ahead": NOSE_AHEAD,
        "neck": trunk[-2],
        "top": trunk[-1],
        "shoulders": [skeleton.face_joints[3], skeleton.face_joints[2]],
        "toes": [skeleton.feet_left[1], skeleton.feet_right[1]],
    }


def _floor(joints: np.ndarray) -> float:
    """Metres; 0 where somebody is near it, so that who floats is seen to float."""
    lowest = float(joints[..., 1].min())
    return 0.0 if abs(lowest) < 0.3 else lowest
