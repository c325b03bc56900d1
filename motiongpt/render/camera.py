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


def frame_clips(clips: Sequence[np.ndarray], height: float, box: Box) -> Camera:
    """Camera under which all `clips` fit into `box`; share it to compare clips side by side.

    Args:
        clips: arrays (T, J, 3), metres, Y up. A following camera follows the first clip's root
            and waits at its last place when another clip is longer.
        height: the person's height, metres.
        box: left, top, right, bottom in pixels.
    """
    floor = _floor_height(np.concatenate([clip.reshape(-1, 3) for clip in clips]), height)
    body = np.concatenate([_outline(clip, floor, height) for clip in clips])
    middle = (body.min(axis=0) + body.max(axis=0)) / 2

    path = gaussian_filter1d(clips[0][:, 0], SMOOTHING, axis=0, mode="nearest")
    path[:, 1] = middle[1]
    followed = _outline(clips[0] - path[:, None], floor - middle[1], height)

    focal = FOCAL * (box[2] - box[0])
    standing = _fitting_distance(body - middle, focal, box)
    walking = _fitting_distance(followed, focal, box)
    follows = walking < FOLLOW_BELOW * standing
    return Camera(
        targets=path if follows else middle[None],
        distance=walking if follows else standing,
        focal=focal,
        centre=_middle(box),
        floor=floor,
        follows=follows,
    )


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


def _fitting_distance(points: np.ndarray, focal: float, box: Box) -> float:
    """Smallest distance, metres, at which points around the target land inside the box."""
    seen = points @ AXES.T
    half = np.array([box[2] - box[0], box[3] - box[1]]) / 2
    # |offset| focal / (distance + depth) <= half, solved for the distance of every point.
    needed = np.abs(seen[:, :2]) * focal / half - seen[:, 2:]
    return float(needed.max())
