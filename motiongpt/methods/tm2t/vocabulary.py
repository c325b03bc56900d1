"""The words that a translator knows: those of the training captions, and marks before them."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from motiongpt.errors import UserError
from motiongpt.methods.tm2t.generating import Marks
from motiongpt.methods.tm2t.rows import word_row

START, END, UNKNOWN = "<start>", "<end>", "<unknown>"
PIECES = re.compile(r"[^\W_]+(?:'[^\W_]+)?|[^\w\s]")
CLOSING = frozenset(".,;:!?)")


@dataclass(frozen=True)
class Vocabulary:
    """Words by their ids; start, end and the unknown word come first, padding last.

    Attributes:
        words: in the order of their ids, marks included, padding left out.

    Raises:
        UserError: the first three are no marks, or a word stands there twice.
    """

    words: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.words[:3] != (START, END, UNKNOWN) or len(set(self.words)) != len(self.words):
            raise UserError("a vocabulary of words: expected three marks and each word once")

    @classmethod
    def of(cls, captions: Iterable[str], fewest: int = 1) -> Self:
        """Of all words that occur so often in captions, the most frequent first."""
        counts = Counter(piece for caption in captions for piece in pieces(caption))
        known = sorted((w for w in counts if counts[w] >= fewest), key=lambda w: (-counts[w], w))
        return cls((START, END, UNKNOWN, *known))

    def __len__(self) -> int:
        """Ids, that of padding included."""
        return len(self.words) + 1

    @property
    def marks(self) -> Marks:
        """Start, end and padding."""
        return Marks(0, 1, len(self.words))

    def ids(self, caption: str, most: int) -> list[int]:
        """Start, at most `most` words, end."""
        known = {word: number for number, word in enumerate(self.words)}
        return word_row([known.get(piece, 2) for piece in pieces(caption)], most, self.marks)

    def sentence(self, ids: Sequence[int]) -> str:
        """The words of ids; marks and padding are left out."""
        said = ""
        for number in ids:
            if not 2 < number < len(self.words):
                continue
            word = self.words[number]
            said += word if word in CLOSING or not said else f" {word}"
        return said


def pieces(caption: str) -> list[str]:
    """Words and signs of a caption, in small letters."""
    return PIECES.findall(caption.lower())
