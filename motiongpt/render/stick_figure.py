"""Animated stick figures: one clip as a GIF or WebP file at its own frame rate.

Drawn with Pillow at twice the size and averaged down, which smooths edges at little cost.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from motiongpt.errors import UserError
from motiongpt.files import save_with
from motiongpt.motion.skeleton import Skeleton
from motiongpt.render.camera import frame_clips
from motiongpt.render.figure import BACKGROUND, FULL, MUTED, Colour, Figure, blend, body_height
from motiongpt.render.floor import (
    PATH_COLOUR,
    SHADES,
    SHADOW_COLOUR,
    TILE_COLOUR,
    draw_floor,
    draw_path,
)
from motiongpt.render.lettering import FAINT, draw_caption, draw_legend, font

ZOOM = 2
LOSSLESS_WEBP: dict[str, Any] = {"lossless": True, "quality": 20, "method": 1}
"""Of few flat colours, lossless is both smaller and quicker than lossy."""
BAR_COLOUR: Colour = (71, 85, 105)


def render_animation(
    joints: np.ndarray,
    skeleton: Skeleton,
    path: Path,
    caption: str = "",
    given: np.ndarray | None = None,
    size: int = 320,
    fps: float | None = None,
    beside: np.ndarray | None = None,
) -> None:
    """Write a clip as an animation; the format follows the ending of `path`, .gif or .webp.

    Args:
        joints: (T, J, 3) metres, Y up.
        caption: shown on top, wrapped to two lines.
        given: (T,) bool, True where the frame was given rather than generated: drawn muted.
        size: width and height in pixels.
        fps: frames per second; the skeleton's if None. GIF files round it to 1/100 s a frame.
        beside: another clip (T', J, 3) that this one is to be compared with: the camera frames
            both, so that two animations of either show the same spot at the same size.

    Raises:
        UserError: the ending is unknown, or joints are not finite or of another shape.
    """
    path = Path(path)
    if path.suffix not in (".gif", ".webp"):
        raise UserError(f"{path}: animations end in .gif or .webp")
    joints = checked_joints(joints, skeleton, str(path))
    others = [] if beside is None else [checked_joints(beside, skeleton, str(path))]
    given = np.zeros(len(joints), bool) if given is None else np.asarray(given, bool)
    if len(given) != len(joints):
        raise UserError(f"{path}: {len(given)} flags in `given` for {len(joints)} frames")
    scene = Scene(joints, skeleton, caption, given, size, fps or skeleton.fps, others)
    frames = _with_one_palette(scene.frames())
    kind = {"optimize": True, "disposal": 1} if path.suffix == ".gif" else LOSSLESS_WEBP

    def save(temporary: Path) -> None:
        frames[0].save(
            temporary,
            save_all=True,
            append_images=frames[1:],
            duration=round(1000 / scene.fps),
            loop=0,
            **kind,
        )

    save_with(path, save, suffix=path.suffix)


def checked_joints(joints: np.ndarray, skeleton: Skeleton, what: str) -> np.ndarray:
    """`joints` as float64 (T, J, 3).

    Raises:
        UserError: another shape, no frames, NaN or infinity.
    """
    joints = np.asarray(joints, np.float64)
    if joints.ndim != 3 or joints.shape[1:] != (skeleton.n_joints, 3) or not len(joints):
        raise UserError(
            f"{what}: joints of shape {joints.shape}; {skeleton.name} needs "
            f"(frames, {skeleton.n_joints}, 3) with at least one frame"
        )
    if not np.isfinite(joints).all():
        raise UserError(f"{what}: joints hold NaN or infinity; nothing can be drawn of them")
    return joints


class Scene:
    """One clip with all that surrounds it, as pictures."""

    def __init__(
        self,
        joints: np.ndarray,
        skeleton: Skeleton,
        caption: str,
        given: np.ndarray,
        size: int,
        fps: float,
        others: list[np.ndarray],
    ) -> None:
        self.joints, self.given, self.size, self.fps = joints, given, size, fps
        self.height = body_height(joints, skeleton)
        self.figure = Figure(skeleton, self.height)
        self.caption = caption
        self.letters = max(9, round(size * 0.044))
        box = (size * 0.05, size * (0.15 if caption else 0.06), size * 0.95, size * 0.90)
        self.camera = frame_clips([joints, *others], self.height, box)

    def frames(self) -> Iterator[Image.Image]:
        """RGB pictures of `size` squared, one for each frame of the clip."""
        backdrop = None if self.camera.follows else self._backdrop(0)
        for frame in range(len(self.joints)):
            yield self.picture(frame, None if backdrop is None else backdrop.copy())

    def picture(self, frame: int, backdrop: Image.Image | None = None) -> Image.Image:
        """The RGB picture of one frame; `backdrop` is drawn upon where it is known already."""
        picture = self.drawing(frame, backdrop)
        self._write(picture, frame)
        return picture

    def drawing(self, frame: int, backdrop: Image.Image | None = None) -> Image.Image:
        """The picture of one frame without words."""
        picture = self._backdrop(frame) if backdrop is None else backdrop
        canvas = ImageDraw.Draw(picture)
        walked = self.joints[: frame + 1, 0]
        draw_path(canvas, walked, self.camera, frame, PATH_COLOUR, zoom=ZOOM)
        pose = self.joints[frame]
        self.figure.draw_shadow(canvas, pose, self.camera, frame, SHADOW_COLOUR, ZOOM)
        palette = MUTED if self.given[frame] else FULL
        self.figure.draw(canvas, pose, self.camera, frame, palette, ZOOM)
        return picture.reduce(ZOOM)

    def _backdrop(self, frame: int) -> Image.Image:
        picture = Image.new("RGB", (self.size * ZOOM, self.size * ZOOM), BACKGROUND)
        canvas = ImageDraw.Draw(picture)
        draw_floor(canvas, self.camera, frame, self.height, ZOOM)
        faint = blend(PATH_COLOUR, TILE_COLOUR, 0.6)
        draw_path(canvas, self.joints[:, 0], self.camera, frame, faint, zoom=ZOOM)
        return picture

    def _write(self, picture: Image.Image, frame: int) -> None:
        """Caption on top; below: a bar of the time gone by, legend, seconds and frame count."""
        canvas, size, small = ImageDraw.Draw(picture), self.size, max(9, round(0.85 * self.letters))
        draw_caption(canvas, self.caption, size, self.letters, round(0.03 * size))
        middle, margin = size - round(0.055 * size), round(0.04 * size)
        draw_legend(canvas, margin, middle, small)
        total = len(self.joints)
        count = f"{(frame + 1) / self.fps:.1f} s   {frame + 1}/{total}"
        canvas.text((size - margin, middle), count, font=font(small), fill=FAINT, anchor="rm")
        if self.given.any():
            word = "given" if self.given[frame] else "generated"
            colour = FAINT if self.given[frame] else BAR_COLOUR
            canvas.text((size / 2, middle), word, font=font(small), fill=colour, anchor="mm")
        self._draw_bar(canvas, frame)

    def _draw_bar(self, canvas: ImageDraw.ImageDraw, frame: int) -> None:
        """Time along the lower edge; what was given is lighter than what was generated."""
        total, thick = len(self.joints), max(2, round(0.012 * self.size))
        edges = np.flatnonzero(np.diff(self.given)) + 1
        starts, ends = [0, *edges.tolist()], [*edges.tolist(), total]
        for start, end in zip(starts, ends, strict=True):
            colour = blend(BAR_COLOUR, BACKGROUND, 0.65) if self.given[start] else BAR_COLOUR
            for stop, tone in ((end, blend(colour, BACKGROUND, 0.8)), (frame + 1, colour)):
                if min(stop, end) > start:
                    left, right = (self.size * x / total for x in (start, min(stop, end)))
                    canvas.rectangle((left, self.size - thick, right - 1, self.size), fill=tone)


def _with_one_palette(frames: Iterable[Image.Image]) -> list[Image.Image]:
    """The frames in the same few colours, so that what stands still compresses to nothing."""
    table = Image.new("P", (1, 1))
    table.putpalette([channel for colour in _colours() for channel in colour])
    return [frame.quantize(palette=table, dither=Image.Dither.NONE) for frame in frames]


def _colours() -> list[Colour]:
    """Every colour that is drawn, and steps to the background for the smoothed edges."""
    figures = [getattr(look, part) for look in (FULL, MUTED) for part in ("left", "right", "body")]
    floors = [blend(TILE_COLOUR, BACKGROUND, step / SHADES) for step in range(SHADES)]
    lines = [FAINT, BAR_COLOUR, PATH_COLOUR, SHADOW_COLOUR]
    edges = [blend(colour, BACKGROUND, share) for colour in figures for share in (0.3, 0.65)]
    edges += [blend(colour, BACKGROUND, 0.5) for colour in lines]
    edges += [blend(colour, SHADOW_COLOUR, 0.5) for colour in figures[:3]]
    return [BACKGROUND, *figures, *floors, *lines, *edges]
