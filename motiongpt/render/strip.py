"""A film strip: some poses of a clip side by side, for where nothing moves."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from motiongpt.errors import UserError
from motiongpt.files import save_with
from motiongpt.motion.skeleton import Skeleton
from motiongpt.render.figure import BACKGROUND, BODY_COLOUR
from motiongpt.render.lettering import FAINT, draw_legend, font, legend_width, wrap
from motiongpt.render.stick_figure import Scene, checked_joints


def render_strip(
    joints: np.ndarray,
    skeleton: Skeleton,
    path: Path,
    caption: str = "",
    poses: int = 6,
    size: int = 240,
    given: np.ndarray | None = None,
) -> None:
    """Write a PNG of `poses` pictures in a row, evenly spaced in time, seconds below each.

    Args:
        joints: (T, J, 3) metres, Y up.
        caption: one line above the pictures, cut where it is longer; without it there is no line.
        size: width and height of one picture in pixels.
        given: (T,) bool, True where the frame was given: drawn muted.

    Raises:
        UserError: no pose is asked for, or joints are not finite or of another shape.
    """
    if poses < 1:
        raise UserError(f"{path}: a strip of {poses} poses; ask for at least one")
    joints = checked_joints(joints, skeleton, str(path))
    marks = np.zeros(len(joints), bool) if given is None else np.asarray(given, bool)
    scene = Scene(joints, skeleton, "", marks, size, skeleton.fps, [])
    caption, letters = caption.strip(), max(9, round(0.06 * size))
    top = round(2.2 * letters) if caption else 0
    sheet = Image.new("RGB", (size * poses, size + top), BACKGROUND)
    canvas = ImageDraw.Draw(sheet)
    for index, frame in enumerate(np.linspace(0, len(joints) - 1, poses).round().astype(int)):
        sheet.paste(scene.drawing(int(frame)), (size * index, top))
        middle = (size * (index + 0.5), top + size - 0.9 * letters)
        seconds = f"{frame / skeleton.fps:.1f} s"
        canvas.text(middle, seconds, font=font(letters), fill=FAINT, anchor="mm")
    if caption:
        _write_header(canvas, caption, size * poses, top, letters)
    save_with(Path(path), lambda temporary: sheet.save(temporary, format="PNG"), suffix=".png")


def _write_header(
    canvas: ImageDraw.ImageDraw, caption: str, width: int, height: int, letters: int
) -> None:
    """The caption on the left; the legend on the right where it leaves half of the width."""
    legend = legend_width(letters)
    fits = legend < width / 2
    room = width - 2 * letters - (legend if fits else 0)
    line = wrap(caption, font(letters), room, 1)[0]
    middle = height // 2
    canvas.text((letters, middle), line, font=font(letters), fill=BODY_COLOUR, anchor="lm")
    if fits:
        draw_legend(canvas, width - legend, middle, letters)
