"""Which font has a text's letters: Pillow's own, matplotlib's DejaVu, else one of the system's."""

import functools
import unicodedata
import warnings
from pathlib import Path

from fontTools.ttLib import TTCollection, TTFont, TTLibError
from matplotlib import font_manager, get_data_path
from PIL import features

DEJAVU = Path(get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")
SHAPED = ("ARABIC", "DEVANAGARI", "HEBREW", "SYRIAC", "THAI", "BENGALI", "TAMIL")
"""Scripts that are read rightwards to left, or whose letters change with their neighbours."""


@functools.cache
def font_file(text: str) -> Path | None:
    """The font to write `text` with; None for Pillow's own.

    Where no font has all letters, DejaVu writes what it has and a warning says which are missing.
    """
    needed = frozenset(ord(letter) for letter in text if not letter.isspace())
    if all(letter < 0x180 for letter in needed):  # Latin, which Pillow's own font has
        return None
    _warn_of_shapes(text)
    if needed <= _letters(DEJAVU):
        return DEJAVU
    for path in _of_the_system():
        if needed <= _letters(path):
            return path
    missing = "".join(sorted(chr(letter) for letter in needed - _letters(DEJAVU)))[:12]
    warnings.warn(
        f"no font here has {missing!r}: boxes stand for them; install one (apt-get install "
        "fonts-noto-core fonts-noto-cjk), or write .html, which uses the reader's fonts",
        stacklevel=2,
    )
    return DEJAVU


def _warn_of_shapes(text: str) -> None:
    names = (unicodedata.name(letter, "") for letter in text)
    if any(name.startswith(SHAPED) for name in names) and not features.check("raqm"):
        warnings.warn(
            "letters of this script are not joined or turned here, for Pillow finds no FriBiDi "
            "(apt-get install libfribidi0); .html pages show them right",
            stacklevel=3,
        )


@functools.cache
def _of_the_system() -> tuple[Path, ...]:
    return tuple(sorted(map(Path, font_manager.findSystemFonts(fontext="ttf"))))


@functools.cache
def _letters(path: Path) -> frozenset[int]:
    """Code points that a font has; none where it can't be read."""
    try:
        if path.suffix.lower() in (".ttc", ".otc"):
            with TTCollection(path, lazy=True) as fonts:
                return frozenset(fonts.fonts[0].getBestCmap() or ())
        with TTFont(path, lazy=True) as one:
            return frozenset(one.getBestCmap() or ())
    except (OSError, TTLibError):
        return frozenset()
