"""A pinhole camera that frames a clip: fixed when all of it fits, else walking along.

Shape letters: T frames, J joints, N points.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

Box = tuple[float, float, float, float]

AZIMUTH = 35.0
"""Degrees from the Z axis: a clip that starts facing Z+ is seen from the front, half sideways."""
ELEVATION = 16.0
"""Degrees above the floor."""
FOCAL = 2.4
"""Focal length over picture width: a mild tele lens, so that near limbs don't swell."""
FOLLOW_BELOW = 0.55
"""Follow the person when a fixed view would draw them smaller than this share of full size."""
SMOOTHING = 8.0
"""Frames; standard deviation of the Gaussian over the path that a following camera takes."""
BODY_MARGIN = 0.05
"""Over body height: how far flesh reaches beyond the joints; the head twice as far upwards."""

CENTRINGS = 6
"""Rounds of moving the target to the middle of what is seen: perspective shifts it each time."""


@dataclass(frozen=True)
class Camera:
    """Where the camera looks in every frame, and how points land in the picture.

    Attributes:
        targets: (T, 3) metres, the point looked at; all rows equal in a fixed view.
        distance: metres from the target.
        focal: pixels.
        centre: (x, y) pixels where the target lands.
        floor: height of the floor, metres.
        follows: True when the targets move.
    """

    targets: np.ndarray
    distance: float
    focal: float
    centre: tuple[float, float]
    floor: float
    follows: bool

    def project(self, points: np.ndarray, frame: int) -> tuple[np.ndarray, np.ndarray]:
        """Pixels (..., 2), y down, and pixels per metre (...,) of `points` (..., 3) in a frame."""
        seen = (points - self.targets[min(frame, len(self.targets) - 1)]) @ AXES.T
        return _pinhole(seen, self.distance, self.focal, self.centre)


def frame_clips(
    clips: Sequence[np.ndarray], height: float, box: Box, fixed: bool = False
) -> Camera:
    """Camera under which the first clip fits into `box`, as large as the others in their turn.

    Args:
        clips: arrays (T, J, 3), metres, Y up. A fixed camera shows all of them; one that follows
            walks with the first clip's root, at a distance at which each would fit.
        height: the person's height, metres.
        box: left, top, right, bottom in pixels.
        fixed: the camera must not follow.
    """
    floor = _floor_height(np.concatenate([clip.reshape(-1, 3) for clip in clips]), height)
    focal = FOCAL * (box[2] - box[0])
    target, standing = _target(
        np.concatenate([_outline(clip, floor, height) for clip in clips]), focal, box
    )
    paths = [_smooth_path(clip) for clip in clips]
    followed = [
        _outline(clip - path[:, None], floor, height)
        for clip, path in zip(clips, paths, strict=True)
    ]
    shift, walking = _target(np.concatenate(followed), focal, box)
    follows = not fixed and walking < FOLLOW_BELOW * standing
    return Camera(
        targets=paths[0] + shift if follows else target[None],
        distance=walking if follows else standing,
        focal=focal,
        centre=_middle(box),
        floor=floor,
        follows=follows,
    )


def _smooth_path(clip: np.ndarray) -> np.ndarray:
    """The root's way over the ground, (T, 3) with height 0.

    Before and after the clip it is continued point-symmetrically, so that the camera does not lag
    behind someone who starts or ends walking.
    """
    reach = round(4 * SMOOTHING)
    longer = np.pad(clip[:, 0], ((reach, reach), (0, 0)), mode="reflect", reflect_type="odd")
    path = gaussian_filter1d(longer, SMOOTHING, axis=0)[reach:-reach]
    path[:, 1] = 0.0
    return path


def _axes() -> np.ndarray:
    """Rightwards, upwards and into the picture: unit rows (3, 3)."""
    azimuth, elevation = np.radians(AZIMUTH), np.radians(ELEVATION)
    flat = np.cos(elevation)
    into = -np.array([np.sin(azimuth) * flat, np.sin(elevation), np.cos(azimuth) * flat])
    right = np.array([np.cos(azimuth), 0.0, -np.sin(azimuth)])
    return np.stack((right, np.cross(into, right) * -1.0, into))


AXES = _axes()


def _pinhole(
    seen: np.ndarray, distance: float, focal: float, centre: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray]:
    scale = focal / np.maximum(distance + seen[..., 2], 0.05 * distance)
    x = centre[0] + seen[..., 0] * scale
    y = centre[1] - seen[..., 1] * scale
    return np.stack((x, y), axis=-1), scale


def _middle(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _floor_height(points: np.ndarray, height: float) -> float:
    """0 where the clip stands near it, so that a floating figure floats; else its lowest joint."""
    lowest = float(points[:, 1].min())
    return 0.0 if abs(lowest) < 0.2 * height else lowest


def _outline(joints: np.ndarray, floor: float, height: float) -> np.ndarray:
    """Points (N, 3) that enclose flesh, head and shadow of joints (T, J, 3)."""
    points = joints.reshape(-1, 3)
    margin = BODY_MARGIN * height
    shadow = points * [1.0, 0.0, 1.0] + [0.0, floor, 0.0]
    sides = [points + margin * side for side in (AXES[0], -AXES[0])]
    return np.concatenate((points + [0.0, 2 * margin, 0.0], shadow, *sides))


def _target(points: np.ndarray, focal: float, box: Box) -> tuple[np.ndarray, float]:
    """Target and smallest distance, metres, under which the points fill the middle of the box."""
    half = np.array([box[2] - box[0], box[3] - box[1]]) / 2
    target = (points.min(axis=0) + points.max(axis=0)) / 2
    for _ in range(CENTRINGS):
        seen = (points - target) @ AXES.T
        # |offset| focal / (distance + depth) <= half, solved for the distance of every point.
        distance = float((np.abs(seen[:, :2]) * focal / half - seen[:, 2:]).max())
        pixels, _ = _pinhole(seen, distance, focal, (0.0, 0.0))
        aside = (pixels.min(axis=0) + pixels.max(axis=0)) / 2 * distance / focal
        target = target + aside[0] * AXES[0] - aside[1] * AXES[1]
    return target, distance
