"""The stick figure: limbs as tapered rods, far ones first, left and right in two colours.

Shape letters: J joints, P points (the joints, then the head's centre and the nose).
Radii are fractions of the body's height, so that any unit of length works.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import ImageDraw

from motiongpt.motion.skeleton import Skeleton
from motiongpt.render.camera import Camera

Colour = tuple[int, int, int]

BACKGROUND: Colour = (247, 248, 250)
LEFT_COLOUR: Colour = (37, 99, 216)
RIGHT_COLOUR: Colour = (224, 85, 18)
BODY_COLOUR: Colour = (58, 68, 84)

LEG_RADII = (0.036, 0.017)
"""At the hip and at the toe."""
ARM_RADII = (0.026, 0.015)
"""At the shoulder and at the wrist."""
TRUNK_RADIUS = 0.032
NECK_RADIUS = 0.020
HEAD_RADIUS = 0.060
NOSE_RADIUS = 0.014
HALO = 1.2
"""Pixels of background beside a limb, so that a near limb stands out from one behind it."""


def blend(colour: Colour, other: Colour, share: float) -> Colour:
    """`share` of `other` mixed into `colour`."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(colour, other, strict=True))
    return red, green, blue


@dataclass(frozen=True)
class Palette:
    """Colours of one look of the figure."""

    left: Colour = LEFT_COLOUR
    right: Colour = RIGHT_COLOUR
    body: Colour = BODY_COLOUR


FULL = Palette()


@dataclass(frozen=True)
class Rod:
    """A rounded bar between two points, or a rounded polygon: (point, radius) pairs.

    Spine and neck go without a halo, because they lie inside the torso.
    """

    ends: tuple[tuple[int, float], ...]
    side: str
    haloed: bool = True

    @property
    def filled(self) -> bool:
        """True for the polygon."""
        return len(self.ends) > 2


class Figure:
    """Draws poses of one skeleton; `height` is the body's, in the unit of the joints."""

    def __init__(self, skeleton: Skeleton, height: float) -> None:
        self.skeleton = skeleton
        self.height = height
        self.head, self.nose = skeleton.n_joints, skeleton.n_joints + 1
        self.rods = tuple(_rods(skeleton, self.head))

    def draw(
        self,
        canvas: ImageDraw.ImageDraw,
        pose: np.ndarray,
        camera: Camera,
        frame: int,
        palette: Palette = FULL,
        zoom: int = 1,
    ) -> None:
        """Draw `pose` (J, 3), far parts first. `zoom`: canvas pixels per picture pixel."""
        pixels, scale = camera.project(self._points(pose), frame)
        pixels, radius_scale = pixels * zoom, scale * self.height * zoom

        def nearness(rod: Rod) -> float:
            return float(np.mean([scale[point] for point, _ in rod.ends]))

        colours = {"left": palette.left, "right": palette.right, "body": palette.body}
        for rod in sorted(self.rods, key=nearness):
            points = [pixels[point] for point, _ in rod.ends]
            radii = [radius * radius_scale[point] for point, radius in rod.ends]
            halo = HALO * zoom if rod.haloed else 0.0
            _draw_rod(canvas, points, radii, colours[rod.side], halo, rod.filled)
        self._draw_head(canvas, pixels, radius_scale, palette.body)

    def draw_shadow(
        self,
        canvas: ImageDraw.ImageDraw,
        pose: np.ndarray,
        camera: Camera,
        frame: int,
        colour: Colour,
        zoom: int = 1,
    ) -> None:
        """Draw the pose's shadow, straight down on the floor."""
        flat = self._points(pose) * [1.0, 0.0, 1.0] + [0.0, camera.floor, 0.0]
        pixels, scale = camera.project(flat, frame)
        pixels, radius_scale = pixels * zoom, scale * self.height * zoom
        for rod in self.rods:
            points = [pixels[point] for point, _ in rod.ends]
            radii = [0.8 * radius * radius_scale[point] for point, radius in rod.ends]
            _draw_rod(canvas, points, radii, colour, 0.0, rod.filled)

    def _points(self, pose: np.ndarray) -> np.ndarray:
        """Joints, the head's centre and the nose, (P, 3)."""
        _, _, right_shoulder, left_shoulder = self.skeleton.face_joints
        trunk = trunk_chain(self.skeleton)
        up = _unit(pose[trunk[-1]] - pose[trunk[-2]])
        leftwards = _unit(pose[left_shoulder] - pose[right_shoulder])
        ahead = _unit(np.cross(leftwards, up))
        head = pose[trunk[-1]] + self.height * (0.55 * HEAD_RADIUS * up + 0.1 * HEAD_RADIUS * ahead)
        nose = head + self.height * HEAD_RADIUS * 1.02 * ahead
        return np.concatenate((pose, head[None], nose[None]))

    def _draw_head(
        self,
        canvas: ImageDraw.ImageDraw,
        pixels: np.ndarray,
        radius_scale: np.ndarray,
        colour: Colour,
    ) -> None:
        """A circle, and a nose that shows where the face is, unless it looks away."""
        radius = HEAD_RADIUS * radius_scale[self.head]
        _dot(canvas, pixels[self.head], radius + HALO, BACKGROUND)
        looks_away = radius_scale[self.nose] < radius_scale[self.head]
        nose_radius = NOSE_RADIUS * radius_scale[self.nose]
        light = blend(colour, BACKGROUND, 0.55)
        if looks_away:
            _dot(canvas, pixels[self.nose], nose_radius, colour)
        _dot(canvas, pixels[self.head], radius, colour)
        if not looks_away:
            _dot(canvas, pixels[self.nose], nose_radius, light)


def body_height(joints: np.ndarray, skeleton: Skeleton) -> float:
    """Height with straight limbs, in the unit of `joints` (T, J, 3): leg, trunk, neck, half a head.

    Measured in the middle frame: a clip's body need not be the skeleton's own.
    """
    pose = joints[len(joints) // 2]
    leg = next(chain for chain in skeleton.chains if skeleton.face_joints[0] in chain)
    bones = [
        pose[end] - pose[start]
        for chain in (leg[:-1], trunk_chain(skeleton))
        for start, end in zip(chain[:-1], chain[1:], strict=True)
    ]
    return max(1.08 * float(sum(np.linalg.norm(bone) for bone in bones)), 1e-6)


def trunk_chain(skeleton: Skeleton) -> tuple[int, ...]:
    """The chain from the root to the head: the one without hips and shoulders."""
    faces = set(skeleton.face_joints)
    return next(chain for chain in skeleton.chains if not faces & set(chain))


def _rods(skeleton: Skeleton, head: int) -> Iterator[Rod]:
    right_hip, left_hip, right_shoulder, left_shoulder = skeleton.face_joints
    trunk = trunk_chain(skeleton)
    chest = next(chain[0] for chain in skeleton.chains if right_shoulder in chain)
    torso = (right_hip, left_hip, left_shoulder, right_shoulder)
    yield Rod(tuple((joint, TRUNK_RADIUS) for joint in torso), "body")
    for start, end in zip(trunk[:-1], trunk[1:], strict=True):
        inside = trunk.index(end) <= trunk.index(chest)
        radius = TRUNK_RADIUS if inside else NECK_RADIUS
        yield Rod(((start, radius), (end, radius)), "body", haloed=False)
    yield Rod(((trunk[-1], NECK_RADIUS), (head, NECK_RADIUS)), "body", haloed=False)
    limbs = (
        (right_hip, "right", LEG_RADII),
        (left_hip, "left", LEG_RADII),
        (right_shoulder, "right", ARM_RADII),
        (left_shoulder, "left", ARM_RADII),
    )
    for first, side, radii in limbs:
        yield from _limb(skeleton, first, side, radii)


def _limb(skeleton: Skeleton, first: int, side: str, radii: tuple[float, float]) -> Iterator[Rod]:
    """Rods from a hip or shoulder outwards, thinner along the way."""
    chain = next(chain for chain in skeleton.chains if first in chain)
    limb = chain[chain.index(first) :]
    widths = np.linspace(radii[0], radii[1], len(limb))
    for i in range(len(limb) - 1):
        yield Rod(((limb[i], float(widths[i])), (limb[i + 1], float(widths[i + 1]))), side)


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / max(float(np.linalg.norm(vector)), 1e-9)


def _draw_rod(
    canvas: ImageDraw.ImageDraw,
    points: list[np.ndarray],
    radii: list[float],
    colour: Colour,
    halo: float,
    filled: bool,
) -> None:
    """Tapered bars along the points; the halo has no round ends, or it would cut neighbours."""
    following = range(1, len(points) + filled)
    pairs = [(i - 1, i % len(points)) for i in following]
    if halo:
        for i, j in pairs:
            _bar(canvas, points[i], points[j], radii[i] + halo, radii[j] + halo, BACKGROUND)
    if filled:
        canvas.polygon([(float(x), float(y)) for x, y in points], fill=colour)
    for i, j in pairs:
        _bar(canvas, points[i], points[j], radii[i], radii[j], colour)
    for point, radius in zip(points, radii, strict=True):
        _dot(canvas, point, radius, colour)


def _bar(
    canvas: ImageDraw.ImageDraw,
    start: np.ndarray,
    end: np.ndarray,
    start_radius: float,
    end_radius: float,
    colour: Colour,
) -> None:
    along = end - start
    across = np.array([-along[1], along[0]]) / max(float(np.hypot(*along)), 1e-6)
    corners = (
        start + across * start_radius,
        end + across * end_radius,
        end - across * end_radius,
        start - across * start_radius,
    )
    canvas.polygon([(float(x), float(y)) for x, y in corners], fill=colour)


def _dot(canvas: ImageDraw.ImageDraw, point: np.ndarray, radius: float, colour: Colour) -> None:
    x, y = float(point[0]), float(point[1])
    canvas.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
