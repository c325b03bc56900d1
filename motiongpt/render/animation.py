"""Films as files: GIF and WebP of few flat colours, and MP4."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from motiongpt.errors import UserError
from motiongpt.files import save_with
from motiongpt.motion.sequence import MotionSequence
from motiongpt.motion.skeleton import Skeleton
from motiongpt.render.figure import Colour
from motiongpt.render.film import Film, film_of
from motiongpt.render.scene import Scene, film_colours
from motiongpt.render.shown import Shown

LOSSLESS_WEBP: dict[str, Any] = {"lossless": True, "quality": 20, "method": 1}
"""Of few flat colours, lossless is both smaller and quicker than lossy."""


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
    """Write a stick figure's animation; the format follows the ending of `path`, .gif or .webp.

    Args:
        joints: (T, J, 3) metres, Y up.
        caption: shown on top, wrapped to two lines.
        given: (T,) bool, True where the frame was given rather than generated: drawn muted.
        size: width and height in pixels.
        fps: frames per second; the skeleton's if None.
        beside: another clip (T', J, 3) that this one is to be compared with: the camera frames
            both, so that two animations of either show the same spot at the same size.

    Raises:
        UserError: the ending is unknown, or joints are not finite or of another shape.
    """
    path = Path(path)
    rate = fps or skeleton.fps
    motion = MotionSequence(joints, rate, [caption] if caption else [], skeleton, given)
    if beside is None:
        save_animation(film_of([Shown(motion)], size), path)
        return
    other = MotionSequence(beside, rate, (), skeleton).joints.astype(np.float64)
    scene = Scene(Shown(motion), (size, size), beside=[other])
    save_animation(Film(scene.pictures(), scene.size, rate, film_colours(scene.look)), path)


def save_animation(film: Film, path: Path) -> None:
    """Write a film as .gif or .webp. GIF files round its rate to 1/100 s a frame.

    Raises:
        UserError: another ending.
    """
    if path.suffix not in (".gif", ".webp"):
        raise UserError(f"{path}: animations end in .gif or .webp")
    frames = _with_one_palette(film.pictures, film.colours)
    kind = {"optimize": True, "disposal": 1} if path.suffix == ".gif" else LOSSLESS_WEBP

    def save(temporary: Path) -> None:
        frames[0].save(
            temporary,
            save_all=True,
            append_images=frames[1:],
            duration=round(1000 / film.fps),
            loop=0,
            **kind,
        )

    save_with(path, save, suffix=path.suffix)


def save_film(film: Film, path: Path) -> None:
    """Write a film as .mp4, H.264.

    Raises:
        UserError: an odd width or height.
    """
    import imageio_ffmpeg  # its wheel brings ffmpeg

    if film.size[0] % 2 or film.size[1] % 2:
        raise UserError(f"size={film.size[1]}: a film needs an even size")

    def save(temporary: Path) -> None:
        writer = imageio_ffmpeg.write_frames(
            str(temporary), film.size, fps=film.fps, macro_block_size=2
        )
        writer.send(None)  # starts ffmpeg
        try:
            for picture in film.pictures:
                writer.send(picture.tobytes())
        finally:
            writer.close()

    save_with(path, save, suffix=".mp4")


def _with_one_palette(
    frames: Iterable[Image.Image], colours: Sequence[Colour]
) -> list[Image.Image]:
    """The frames in the same few colours, so that what stands still compresses to nothing."""
    table = Image.new("P", (1, 1))
    table.putpalette([channel for colour in colours for channel in colour])
    return [frame.quantize(palette=table, dither=Image.Dither.NONE) for frame in frames]
