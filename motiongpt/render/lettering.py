"""Text in pictures: wrapping to a width, cutting what is too long, the legend."""

import functools

from PIL import ImageDraw, ImageFont

from motiongpt.render.figure import BODY_COLOUR, LEFT_COLOUR, RIGHT_COLOUR, Colour
from motiongpt.render.fonts import font_file

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
FAINT: Colour = (112, 122, 138)


def font(size: int, text: str = "") -> Font:
    """A font that has the letters of `text`, `size` pixels high; Pillow's own where it can."""
    path = font_file(text)
    return _opened(None if path is None else str(path), size)


@functools.cache
def _opened(path: str | None, size: int) -> Font:
    return ImageFont.load_default(size) if path is None else ImageFont.truetype(path, size)


@functools.cache
def wrap(text: str, letters: Font, width: float, lines: int) -> tuple[str, ...]:
    """Break `text` at spaces into at most `lines` lines of `width` pixels; the last may end in …"""
    words, wrapped = text.split(), [""]
    for word in words:
        longer = f"{wrapped[-1]} {word}".strip()
        if letters.getlength(longer) <= width or not wrapped[-1]:
            wrapped[-1] = longer
        elif len(wrapped) < lines:
            wrapped.append(word)
        else:
            wrapped[-1] = _cut(f"{wrapped[-1]} …", letters, width)
            break
    return tuple(_cut(line, letters, width) for line in wrapped if line)


def _cut(line: str, letters: Font, width: float) -> str:
    if letters.getlength(line) <= width:
        return line
    while line and letters.getlength(line + "…") > width:
        line = line[:-1]
    return line.rstrip(" …") + "…"


def draw_caption(
    canvas: ImageDraw.ImageDraw,
    text: str,
    width: int,
    size: int,
    top: int,
    lines: int = 2,
    colour: Colour | None = None,
) -> None:
    """Write the wrapped text under `top`, in the middle of `width` pixels."""
    letters = font(size, text)
    for line in wrap(text, letters, width - 2 * size, lines):
        canvas.text((width / 2, top), line, font=letters, fill=colour or BODY_COLOUR, anchor="ma")
        top += round(1.25 * size)


SIDES = (("left", LEFT_COLOUR), ("right", RIGHT_COLOUR))


def legend_width(size: int) -> int:
    """Pixels that `draw_legend` takes, with a gap behind it."""
    return sum(_entry_width(word, size) for word, _ in SIDES)


def draw_legend(canvas: ImageDraw.ImageDraw, left: int, middle: int, size: int) -> None:
    """Dots for the left and the right limbs with their words, from `left`, centred on `middle`."""
    radius = round(0.32 * size)
    for word, colour in SIDES:
        canvas.ellipse((left, middle - radius, left + 2 * radius, middle + radius), fill=colour)
        beside = left + 2 * radius + round(0.4 * size)
        canvas.text((beside, middle), word, font=font(size), fill=FAINT, anchor="lm")
        left += _entry_width(word, size)


def _entry_width(word: str, size: int) -> int:
    return 2 * round(0.32 * size) + round(font(size).getlength(word) + 1.3 * size)
