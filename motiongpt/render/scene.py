"""One motion with all that surrounds it, as pictures: floor, trail, shadow, words.

Drawn at twice the size and averaged down, which smooths edges at little cost.
Shape letters: T frames, J joints.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image, ImageDraw

from motiongpt.bodies.free_body import FreeBody
from motiongpt.render.camera import frame_clips
from motiongpt.render.figure import (
    BACKGROUND,
    BODY_COLOUR,
    LEFT_COLOUR,
    RIGHT_COLOUR,
    Colour,
    blend,
    body_height,
)
from motiongpt.render.floor import (
    PATH_COLOUR,
    SHADES,
    SHADOW_COLOUR,
    TILE_COLOUR,
    draw_floor,
    draw_path,
)
from motiongpt.render.lettering import FAINT, draw_caption, draw_legend, font
from motiongpt.render.looks import KEPT, Look, faded, look_of
from motiongpt.render.shown import Shown

ZOOM = 2
THREADS = 2
MUTED_BY = 0.62
"""Of the background in the colours of what was given."""
BAR_COLOUR: Colour = (71, 85, 105)


class Scene:
    """One motion as pictures.

    Attributes:
        frames: T.
    """

    def __init__(
        self,
        shown: Shown,
        size: tuple[int, int],
        body: FreeBody | None = None,
        beside: Sequence[np.ndarray] = (),
        fixed: bool = False,
    ) -> None:
        """Frame the motion.

        Args:
            size: width and height in pixels.
            body: worn by the person; None for a stick figure.
            beside: joints (T', J, 3) of others that the camera frames, too, so that all are seen at
                the same size.
            fixed: the camera must not follow.

        Raises:
            UserError: a body that does not fit the joints, or given frames that there are not.
        """
        motion = shown.motion
        self.joints, self.size, self.fps = motion.joints.astype(np.float64), size, motion.fps
        self.name, self.caption = shown.name, shown.words
        self.given = np.zeros(motion.frames, bool)
        for first, last in shown.given_runs():
            self.given[first:last] = True
        self.height = body_height(self.joints, motion.skeleton)
        self.look = look_of(motion, self.height, body)
        short = min(size)
        self.letters = max(9, round(short * 0.044))
        lines = 2 * bool(self.caption) + bool(self.name)
        top = short * (0.06 + (0.03 + 0.03 * lines if lines else 0.0))
        box = (size[0] * 0.05, top, size[0] * 0.95, size[1] - short * 0.10)
        self.camera = frame_clips([self.joints, *beside], self.height, box, fixed)

    @property
    def frames(self) -> int:
        """T."""
        return len(self.joints)

    def pictures(self) -> Iterator[Image.Image]:
        """RGB, one for each frame."""
        backdrop = None if self.camera.follows else self.backdrop(0)

        def picture(frame: int) -> Image.Image:
            drawn = self.drawing(frame, None if backdrop is None else backdrop.copy())
            return self.with_words(drawn, frame)

        # Numpy and Pillow leave Python's lock while they work; a block at a time bounds memory.
        with ThreadPoolExecutor(THREADS) as pool:
            for first in range(0, self.frames, KEPT):
                yield from pool.map(picture, range(first, min(first + KEPT, self.frames)))

    def drawing(self, frame: int, backdrop: Image.Image | None = None) -> Image.Image:
        """The picture of one frame without words; `backdrop` is drawn upon where it is known."""
        picture = self.backdrop(frame) if backdrop is None else backdrop
        canvas = ImageDraw.Draw(picture)
        walked = self.joints[: frame + 1, 0]
        draw_path(canvas, walked, self.camera, frame, PATH_COLOUR, zoom=ZOOM)
        self.look.draw_shadow(picture, frame, self.camera, SHADOW_COLOUR, ZOOM)
        palette = faded(self.look.palette, MUTED_BY) if self.given[frame] else self.look.palette
        self.look.draw(picture, frame, self.camera, palette, ZOOM)
        return picture.reduce(ZOOM)

    def sequence(self, frames: Iterable[int], palest: float) -> Image.Image:
        """Several frames in one picture, the first the palest; what is near covers what is far.

        Args:
            palest: of the background in the colours of the first.
        """
        picture = self.backdrop(0)
        shares = dict(zip(frames, np.linspace(palest, 0.0, len(list(frames))), strict=True))
        _, scales = self.camera.project(self.joints[list(shares), 0], 0)
        for frame, share in shares.items():
            colour = blend(SHADOW_COLOUR, BACKGROUND, float(share))
            self.look.draw_shadow(picture, frame, self.camera, colour, ZOOM)
        for index in np.argsort(scales, kind="stable"):
            frame = list(shares)[index]
            palette = faded(self.look.palette, float(shares[frame]))
            self.look.draw(picture, frame, self.camera, palette, ZOOM)
        drawn = picture.reduce(ZOOM)
        self._write_words(ImageDraw.Draw(drawn))
        return drawn

    def backdrop(self, frame: int) -> Image.Image:
        """Floor and trail, at ZOOM times the size."""
        width, height = self.size
        picture = Image.new("RGB", (width * ZOOM, height * ZOOM), BACKGROUND)
        canvas = ImageDraw.Draw(picture)
        draw_floor(canvas, self.camera, frame, self.height, ZOOM)
        faint = blend(PATH_COLOUR, TILE_COLOUR, 0.6)
        draw_path(canvas, self.joints[:, 0], self.camera, frame, faint, zoom=ZOOM)
        return picture

    def _write_words(self, canvas: ImageDraw.ImageDraw) -> None:
        """Name and caption on top, the legend below."""
        width, height = self.size
        top = round(0.03 * min(self.size))
        if self.name:
            draw_caption(canvas, self.name, width, self.letters, top, lines=1)
            top += round(1.3 * self.letters)
        colour = FAINT if self.name else None
        draw_caption(canvas, self.caption, width, self.letters, top, colour=colour)
        middle = height - round(0.055 * min(self.size))
        draw_legend(canvas, round(0.04 * width), middle, self._small())

    def with_words(self, picture: Image.Image, frame: int) -> Image.Image:
        """The same picture, written on; below: a bar of the time gone by, seconds, frame count."""
        canvas, (width, height) = ImageDraw.Draw(picture), self.size
        self._write_words(canvas)
        middle, margin = height - round(0.055 * min(self.size)), round(0.04 * width)
        count = f"{(frame + 1) / self.fps:.1f} s   {frame + 1}/{self.frames}"
        letters = font(self._small())
        canvas.text((width - margin, middle), count, font=letters, fill=FAINT, anchor="rm")
        if self.given.any():
            word = "given" if self.given[frame] else "generated"
            colour = FAINT if self.given[frame] else BAR_COLOUR
            canvas.text((width / 2, middle), word, font=letters, fill=colour, anchor="mm")
        self._draw_bar(canvas, frame)
        return picture

    def _small(self) -> int:
        return max(9, round(0.85 * self.letters))

    def _draw_bar(self, canvas: ImageDraw.ImageDraw, frame: int) -> None:
        """Time along the lower edge; what was given is lighter than what was generated."""
        width, height = self.size
        total, thick = self.frames, max(2, round(0.012 * height))
        edges = np.flatnonzero(np.diff(self.given)) + 1
        starts, ends = [0, *edges.tolist()], [*edges.tolist(), total]
        for start, end in zip(starts, ends, strict=True):
            colour = blend(BAR_COLOUR, BACKGROUND, 0.65) if self.given[start] else BAR_COLOUR
            for stop, tone in ((end, blend(colour, BACKGROUND, 0.8)), (frame + 1, colour)):
                if min(stop, end) > start:
                    left, right = (width * x / total for x in (start, min(stop, end)))
                    canvas.rectangle((left, height - thick, right - 1, height), fill=tone)


def film_colours(look: Look) -> list[Colour]:
    """At most 256: all that is drawn, and steps to the background for the smoothed edges."""
    palettes = (look.palette, faded(look.palette, MUTED_BY))
    figures = [getattr(one, part) for one in palettes for part in ("left", "right", "body")]
    floors = [blend(TILE_COLOUR, BACKGROUND, step / SHADES) for step in range(SHADES)]
    words = [BODY_COLOUR, LEFT_COLOUR, RIGHT_COLOUR]
    lines = [FAINT, BAR_COLOUR, PATH_COLOUR, SHADOW_COLOUR, *words]
    edges = [blend(colour, BACKGROUND, share) for colour in figures for share in (0.3, 0.65)]
    edges += [blend(colour, BACKGROUND, 0.5) for colour in lines]
    edges += [blend(colour, SHADOW_COLOUR, 0.5) for colour in figures[:3]]
    shaded = [tone for colour in figures for tone in look.tones(colour)]
    return [BACKGROUND, *figures, *floors, *lines, *edges, *shaded]
