"""A film strip: some poses of a clip side by side, for where nothing moves."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from motiongpt.bodies.free_body import FreeBody
from motiongpt.errors import UserError
from motiongpt.files import save_with
from motiongpt.motion.sequence import MotionSequence
from motiongpt.motion.skeleton import Skeleton
from motiongpt.render.figure import BACKGROUND, BODY_COLOUR
from motiongpt.render.lettering import FAINT, draw_legend, font, legend_width, wrap
from motiongpt.render.scene import Scene
from motiongpt.render.shown import Shown


def render_strip(
    joints: np.ndarray,
    skeleton: Skeleton,
    path: Path,
    caption: str = "",
    poses: int = 6,
    size: int = 240,
    given: np.ndarray | None = None,
) -> None:
    """Write a stick figure's strip as PNG.

    Args:
        joints: (T, J, 3) metres, Y up.
        given: (T,) bool, True where the frame was given: drawn muted.

    Raises:
        UserError: no pose is asked for, or joints are not finite or of another shape.
    """
    captions = [caption] if caption else []
    motion = MotionSequence(joints, skeleton.fps, captions, skeleton, given)
    sheet = strip_of([Shown(motion)], size, poses)
    save_with(Path(path), lambda temporary: sheet.save(temporary, format="PNG"), suffix=".png")


def strip_of(
    motions: Sequence[Shown], size: int, poses: int, body: FreeBody | None = None
) -> Image.Image:
    """Strips of `poses` pictures, evenly spaced in time, seconds below each; one below the other.

    Args:
        size: width and height of one picture in pixels.
        poses: of each motion; a short one has as many as frames.
        body: worn by the people; None for stick figures.

    Raises:
        UserError: no pose is asked for, or as `Scene`.
    """
    if poses < 1:
        raise UserError(f"a strip of {poses} poses; ask for at least one")
    everyone = [one.motion.joints.astype(np.float64) for one in motions]
    strips = [_strip(one, size, min(poses, one.motion.frames), body, everyone) for one in motions]
    width, height = max(one.width for one in strips), sum(one.height for one in strips)
    sheet, top = Image.new("RGB", (width, height), BACKGROUND), 0
    for strip in strips:
        sheet.paste(strip, (0, top))
        top += strip.height
    return sheet


def _strip(
    shown: Shown, size: int, poses: int, body: FreeBody | None, beside: Sequence[np.ndarray]
) -> Image.Image:
    """One line of words above the pictures, cut where it is longer; without words no line."""
    motion = shown.motion
    scene = Scene(replace(shown, name="", caption=""), (size, size), body, beside)
    words = ": ".join(part for part in (shown.name.strip(), shown.words.strip()) if part)
    letters = max(9, round(0.06 * size))
    top = round(2.2 * letters) if words else 0
    sheet = Image.new("RGB", (size * poses, size + top), BACKGROUND)
    canvas = ImageDraw.Draw(sheet)
    for index, frame in enumerate(np.linspace(0, motion.frames - 1, poses).round().astype(int)):
        sheet.paste(scene.drawing(int(frame)), (size * index, top))
        middle = (size * (index + 0.5), top + size - 0.9 * letters)
        seconds = f"{frame / motion.fps:.1f} s"
        canvas.text(middle, seconds, font=font(letters), fill=FAINT, anchor="mm")
    if words:
        _write_header(canvas, words, size * poses, top, letters)
    return sheet


def _write_header(
    canvas: ImageDraw.ImageDraw, words: str, width: int, height: int, letters: int
) -> None:
    """The words on the left; the legend on the right where it leaves half of the width."""
    legend = legend_width(letters)
    fits = legend < width / 2
    room = width - 2 * letters - (legend if fits else 0)
    written = font(letters, words)
    line = wrap(words, written, room, 1)[0]
    middle = height // 2
    canvas.text((letters, middle), line, font=written, fill=BODY_COLOUR, anchor="lm")
    if fits:
        draw_legend(canvas, width - legend, middle, letters)
