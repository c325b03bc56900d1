"""Ids that tell motion from text in a backbone's vocabulary."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TokenIds:
    """Ids that decide what may be generated.

    Attributes:
        vocabulary_size: rows of the output embedding.
        codes: ids of the K codes.
        start: id of the mark before a motion.
        end: id of the mark after a motion.
        end_of_text: id of the end-of-sequence token.
        never_in_text: special and motion tokens, the end of text excepted.
    """

    vocabulary_size: int
    codes: tuple[int, ...]
    start: int
    end: int
    end_of_text: int
    never_in_text: tuple[int, ...]
