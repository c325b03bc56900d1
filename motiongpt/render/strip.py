"""A film strip: some poses of a clip side by side, for where nothing moves."""

from pathlib import Path

import numpy as np
from PIL import Image

from motiongpt.errors import UserError
from motiongpt.files import save_with
from motiongpt.motion.skeleton import Skeleton
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
    """Write a PNG of `poses` pictures in a row, evenly spaced in time.

    Args:
        joints: (T, J, 3) metres, Y up.
        caption: shown above the first picture.
        size: width and height of one picture in pixels.
        given: (T,) bool, True where the frame was given: drawn muted.

    Raises:
        UserError: no pose is asked for, or joints are not finite or of another shape.
    """
    if poses < 1:
        raise UserError(f"{path}: a strip of {poses} poses; ask for at least one")
    joints = checked_joints(joints, skeleton, str(path))
    marks = np.zeros(len(joints), bool) if given is None else np.asarray(given, bool)
    sheet = Image.new("RGB", (size * poses, size))
    scenes = [
        Scene(joints, skeleton, words, marks, size, skeleton.fps, []) for words in (caption, "")
    ]
    for place, frame in enumerate(np.linspace(0, len(joints) - 1, poses).round().astype(int)):
        sheet.paste(scenes[min(place, 1)].picture(int(frame)), (size * place, 0))
    save_with(Path(path), lambda temporary: sheet.save(temporary, format="PNG"), suffix=".png")
