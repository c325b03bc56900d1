"""The styles of the file names in English: people who move so, and ways of moving.

Near-synonyms of the two sets (old and elderly, tired and exhausted ...) share their words.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Style:
    """`people` can be the subject of a sentence; `manners` follow a verb."""

    people: tuple[str, ...] = ()
    manners: tuple[str, ...] = ()


_OLD = Style(
    ("an old person", "an elderly person"),
    ("like an old person", "like someone very old", "as old people do"),
)
_TIRED = Style(
    ("an exhausted person", "a tired person"),
    ("wearily", "tiredly", "as if exhausted", "like someone who is worn out", "without energy"),
)
_MASCULINE = Style((), ("in a masculine way", "in a manly way", "in a masculine manner"))

STYLES: Mapping[str, Style] = {
    "normal": Style(),
    "active": Style(
        ("an energetic person", "a lively person"),
        ("energetically", "with a lot of energy", "in a lively way", "vigorously"),
    ),
    "elderly": _OLD,
    "old": _OLD,
    "exhausted": _TIRED,
    "tired": _TIRED,
    "masculine": _MASCULINE,
    "masculinity": _MASCULINE,
    "feminine": Style((), ("in a feminine way", "in a feminine manner", "with a feminine air")),
    "youthful": Style(
        ("a youthful person", "a young person"),
        ("in a youthful way", "youthfully", "like a young person"),
    ),
    "childish": Style(
        ("a childish person", "a childlike person"),
        ("childishly", "like a child", "in a youthful, childish way"),
    ),
    "happy": Style(
        ("a happy person", "a cheerful person"), ("happily", "cheerfully", "in a happy mood")
    ),
    "sad": Style(("a sad person",), ("sadly", "as if sad", "in low spirits")),
    "angry": Style(("an angry person",), ("angrily", "as if angry", "in an angry way")),
    "proud": Style(("a proud person",), ("proudly", "with pride", "in a proud manner")),
    "not-confident": Style(
        ("a timid person", "an insecure person"),
        ("timidly", "without confidence", "as if unsure"),
    ),
    "musical": Style((), ("rhythmically", "as if to music", "to the beat of some music")),
    "giant": Style(("a giant",), ("like a giant", "as a giant would")),
    "chimpira": Style(
        ("a swaggering thug", "a thug"), ("with a swagger", "like a thug", "swaggering like a thug")
    ),
}
