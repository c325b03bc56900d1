"""The only place that knows how codes, their written form and token ids belong together."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from motiongpt.errors import UserError

PLACEHOLDER = "<Motion_Placeholder>"
PARSINGS = ("kept", "released")
_WRITTEN = re.compile(r"<motion_id_(\d+)>")


class MotionVocabulary:
    """The K codes of a codebook and three marks: start (K), end (K + 1) and mask (K + 2).

    Each is one token, written `<motion_id_N>`; a motion is written as start, codes, end, without
    spaces: the form of MotionGPT, so that strings and checkpoints can be exchanged.
    """

    def __init__(self, codebook_size: int) -> None:
        """Vocabulary of a codebook with `codebook_size` codes.

        Raises:
            UserError: the codebook is empty.
        """
        if codebook_size < 1:
            raise UserError(f"codebook_size is {codebook_size}: a codebook has at least one code")
        self.codebook_size = codebook_size
        self.start = codebook_size
        self.end = codebook_size + 1
        self.mask = codebook_size + 2

    def __len__(self) -> int:
        """Number of motion tokens: K + 3."""
        return self.codebook_size + 3

    @property
    def tokens(self) -> list[str]:
        """The written form of all K + 3 motion tokens, in order."""
        return [self.token(index) for index in range(len(self))]

    def token(self, index: int) -> str:
        """Written form of code or mark `index`."""
        return f"<motion_id_{index}>"

    def token_ids(self, text_tokenizer: Any) -> np.ndarray:
        """Token ids (K + 3,) int64 of all motion tokens in a Hugging Face tokenizer.

        Raises:
            UserError: the tokenizer lacks a motion token, or holds more than this codebook has.
        """
        known = text_tokenizer.get_vocab()
        held = sum(_WRITTEN.fullmatch(token) is not None for token in known)
        if held != len(self) or any(token not in known for token in self.tokens):
            raise UserError(
                f"the text tokenizer holds {held} motion tokens, not the {len(self)} of a codebook "
                f"with {self.codebook_size} codes: take the backbone that belongs to this codebook"
            )
        return np.array([known[token] for token in self.tokens], dtype=np.int64)

    def write(self, codes: Sequence[int] | np.ndarray, marks: bool = True) -> str:
        """Write codes (L,) as a string; the mask mark is allowed among them.

        Args:
            marks: put start and end around the codes.

        Raises:
            UserError: a value is neither a code nor the mask.
        """
        values = [int(code) for code in codes]
        for value in values:
            if not (0 <= value < self.codebook_size or value == self.mask):
                raise UserError(
                    f"code {value} is outside the codebook (0 to {self.codebook_size - 1}): "
                    "encode the motion with the tokenizer that this vocabulary was made for"
                )
        body = "".join(map(self.token, values))
        return self.token(self.start) + body + self.token(self.end) if marks else body

    def read(self, string: str, parsing: str = "kept") -> np.ndarray:
        """Read the first motion written in `string`; gives its codes (L,) int64.

        parsing="kept" takes the codes between start and end and drops marks among them; a motion
        without an end keeps what was written, one without a start begins at its first code, and
        no motion gives an empty array. parsing="released" is MotionGPT's way: no end or no start
        throws the motion away, marks stay among the codes (K and above), neighbours separated by
        anything but `><` are merged into the last of them, and an empty motion reads as code 0.

        Raises:
            UserError: unknown `parsing`; or a piece that MotionGPT's way can't read as a number.
        """
        if _checked(parsing) == "released":
            return np.array(self._released_codes(self.released_motion(string)), dtype=np.int64)
        written = [int(number) for number in _WRITTEN.findall(string)]
        if self.start in written:
            begin = written.index(self.start) + 1
        else:
            begin = next((i for i, index in enumerate(written) if index < self.start), len(written))
        motion = written[begin:]
        if self.end in motion:
            motion = motion[: motion.index(self.end)]
        return np.array([index for index in motion if index < self.codebook_size], dtype=np.int64)

    def without_motion(self, string: str, parsing: str = "kept") -> str:
        """`string` with the motion that `read` finds replaced by a placeholder.

        parsing="released" replaces only a motion with both marks in order, wherever it occurs.

        Raises:
            UserError: unknown `parsing`.
        """
        if _checked(parsing) == "released":
            return string.replace(self.released_motion(string), PLACEHOLDER)
        found = [(match.start(), match.end(), int(match[1])) for match in _WRITTEN.finditer(string)]
        first = next((i for i, (*_, index) in enumerate(found) if index == self.start), None)
        if first is None:
            first = next((i for i, (*_, index) in enumerate(found) if index < self.start), None)
        if first is None:
            return string
        last = next(
            (span for span in found[first:] if span[2] == self.end),
            found[-1],
        )
        return string[: found[first][0]] + PLACEHOLDER + string[last[1] :]

    def released_motion(self, string: str) -> str:
        """What MotionGPT takes for the motion in `string`: from first start to first end.

        One code 0 where either mark is absent; nothing between them where the end comes first.
        """
        start, end = self.token(self.start), self.token(self.end)
        if start not in string or end not in string:
            return start + self.token(0) + end
        return start + string[string.index(start) + len(start) : string.index(end)] + end

    def _released_codes(self, motion: str) -> list[int]:
        pieces = motion.split("><")[1:-1]
        numbers = [piece.rpartition("_")[2].rstrip(">") for piece in pieces]
        for piece, number in zip(pieces, numbers, strict=True):
            if not number.strip().isdecimal():
                raise UserError(
                    f"parsing=released can't read '{piece}' as a code: use parsing=kept"
                )
        return [int(number) for number in numbers] or [0]


def _checked(parsing: str) -> str:
    if parsing not in PARSINGS:
        raise UserError(f"parsing={parsing} is unknown: choose one of {', '.join(PARSINGS)}")
    return parsing
