"""What a person looks like in a picture: a stick figure, or the skinned body.

Shape letters: T frames, J joints, V vertices, F faces.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from PIL import Image, ImageDraw

from motiongpt.bodies.base import BodyMotion, mesh_of
from motiongpt.bodies.fitting import FitOptions, fit
from motiongpt.bodies.free_body import FreeBody
from motiongpt.bodies.tree import NAMES
from motiongpt.errors import UserError
from motiongpt.motion.rigid import rigid_motion
from motiongpt.motion.sequence import MotionSequence
from motiongpt.motion.skeleton import HUMANML3D
from motiongpt.render.camera import Camera
from motiongpt.render.figure import (
    BACKGROUND,
    FULL,
    LEFT_COLOUR,
    RIGHT_COLOUR,
    Colour,
    Figure,
    Palette,
    blend,
)
from motiongpt.render.raster import DIRECT, GROUND, SKY, Mesh

MESH, STICKS = "mesh", "sticks"
LOOKS = (STICKS, MESH)
SIDES = ("left", "right")
SKIN: Colour = (195, 201, 212)
TINT = 0.45
"""Of a side's colour on the body's limbs."""
SKINNED = Palette(blend(SKIN, LEFT_COLOUR, TINT), blend(SKIN, RIGHT_COLOUR, TINT), SKIN)
TONES = 30
KEPT = 64
"""Frames whose meshes are computed at once."""


class Look(Protocol):
    """Draws the frames of one motion.

    Attributes:
        palette: its colours where nothing is muted.
    """

    palette: Palette

    def tones(self, colour: Colour) -> list[Colour]:
        """What light and shade make of a colour of the palette, 32 at most."""
        ...

    def draw(
        self, picture: Image.Image, frame: int, camera: Camera, palette: Palette, zoom: int
    ) -> None:
        """Draw a frame into a picture, `zoom` pixels of it for one of the camera's."""
        ...

    def draw_shadow(
        self, picture: Image.Image, frame: int, camera: Camera, colour: Colour, zoom: int
    ) -> None:
        """Draw its shadow, straight down on the floor."""
        ...


class Sticks:
    """See `Look`; the joints as they are."""

    palette = FULL

    def __init__(self, motion: MotionSequence, height: float) -> None:
        self.joints = motion.joints.astype(np.float64)
        self.figure = Figure(motion.skeleton, height)

    def tones(self, colour: Colour) -> list[Colour]:
        """See `Look.tones`: none, it is flat."""
        return []

    def draw(
        self, picture: Image.Image, frame: int, camera: Camera, palette: Palette, zoom: int
    ) -> None:
        """See `Look.draw`."""
        canvas = ImageDraw.Draw(picture)
        self.figure.draw(canvas, self.joints[frame], camera, frame, palette, zoom)

    def draw_shadow(
        self, picture: Image.Image, frame: int, camera: Camera, colour: Colour, zoom: int
    ) -> None:
        """See `Look.draw_shadow`."""
        canvas = ImageDraw.Draw(picture)
        self.figure.draw_shadow(canvas, self.joints[frame], camera, frame, colour, zoom)


class Skinned:
    """See `Look`; the free body on bones of constant length."""

    palette = SKINNED

    def __init__(self, motion: MotionSequence, body: FreeBody) -> None:
        (self.motion,), self.body = worn_by(body, [motion]), body
        weights = body.weights.numpy()
        self.mesh = Mesh(body.faces, len(weights))
        shares = np.stack([_side_shares(body, side) for side in SIDES], axis=-1)
        self.shares = shares[body.faces].mean(1)  # (F, 2)
        self._kept = (-1, np.zeros((0, len(weights), 3), np.float32))

    def tones(self, colour: Colour) -> list[Colour]:
        """See `Look.tones`."""
        lights = np.linspace(GROUND, SKY + DIRECT, TONES)
        return [tuple(np.clip(np.array(colour) * light, 0, 255).astype(int)) for light in lights]

    def draw(
        self, picture: Image.Image, frame: int, camera: Camera, palette: Palette, zoom: int
    ) -> None:
        """See `Look.draw`."""
        vertices = self._vertices(frame)
        pixels, scale = camera.project(vertices, frame)
        corner, front = self.mesh.in_front(pixels * zoom, scale, picture.size)
        skin, sides = np.array(palette.body, float), np.array([palette.left, palette.right], float)
        colours = skin + self.shares @ (sides - skin)
        shades = self.mesh.shades(vertices)
        found = np.clip(colours * shades[:, None], 0, 255).astype(np.uint8)
        if not front.size:
            return
        mask = Image.fromarray(front >= 0)
        picture.paste(Image.fromarray(found[front]), corner, mask)

    def draw_shadow(
        self, picture: Image.Image, frame: int, camera: Camera, colour: Colour, zoom: int
    ) -> None:
        """See `Look.draw_shadow`."""
        flat = self._vertices(frame) * [1.0, 0.0, 1.0] + [0.0, camera.floor, 0.0]
        pixels, scale = camera.project(flat, frame)
        # As coarse as the picture is in the end, and blurred by growing: shadows are soft.
        size = (picture.width // zoom, picture.height // zoom)
        (left, top), front = self.mesh.in_front(pixels, scale, size)
        if not front.size:
            return
        mask = Image.fromarray((front >= 0).astype(np.uint8) * 255)
        grown = mask.resize((mask.width * zoom, mask.height * zoom), Image.Resampling.BILINEAR)
        picture.paste(colour, (left * zoom, top * zoom), grown)

    def _vertices(self, frame: int) -> np.ndarray:
        first = frame - frame % KEPT
        kept = self._kept
        if first != kept[0]:
            some = slice(first, first + KEPT)
            rotations, root = self.motion.rotations[some], self.motion.root[some]
            part = BodyMotion(self.motion.shape, rotations, root, self.motion.fps)
            # One assignment, for several threads draw: who comes second computes the same.
            self._kept = kept = (first, mesh_of(self.body, part))
        return kept[1][frame - first]


def worn_by(body: FreeBody, motions: Sequence[MotionSequence]) -> list[BodyMotion]:
    """The body's pose in every frame of each: bones made constant, then met as they are.

    Many at once take hardly longer than one.
    """
    joints = [rigid_motion(one.joints, one.skeleton, one.fps).joints() for one in motions]
    found: dict[int, BodyMotion] = {}
    for fps in dict.fromkeys(one.fps for one in motions):
        some = [index for index, one in enumerate(motions) if one.fps == fps]
        fitted = fit(body, [joints[index] for index in some], fps, FitOptions(steps=0))
        found |= {index: one.motion for index, one in zip(some, fitted, strict=True)}
    return [found[index] for index in range(len(motions))]


def can_wear(motion: MotionSequence) -> bool:
    """Whether the body has the motion's joints."""
    return motion.skeleton.name == HUMANML3D.name


def look_of(motion: MotionSequence, height: float, body: FreeBody | None) -> Look:
    """The body, or sticks where there is none.

    Raises:
        UserError: the body is worn by other joints than the motion's.
    """
    if body is None:
        return Sticks(motion, height)
    if not can_wear(motion):
        raise UserError(
            f"look=mesh: the body is worn by HumanML3D's {HUMANML3D.n_joints} joints; this motion "
            f"has {motion.skeleton.name}'s {motion.skeleton.n_joints}: use look=sticks"
        )
    return Skinned(motion, body)


def side_of(name: str) -> str | None:
    """ "left" or "right" for a joint of an arm or a leg; None for what is in the middle."""
    side, _, part = name.partition("_")
    return side if side in SIDES and part != "collar" else None


def faded(palette: Palette, share: float) -> Palette:
    """`share` of the background mixed into all colours."""
    left, right, body = (
        blend(colour, BACKGROUND, share) for colour in (palette.left, palette.right, palette.body)
    )
    return Palette(left, right, body)


def _side_shares(body: FreeBody, side: str) -> np.ndarray:
    """(V,) how much of a vertex moves with the limbs of a side."""
    bones = np.array([side_of(name) == side for name in NAMES])
    return (body.weights.numpy() * bones[body.bones.numpy()]).sum(1)
