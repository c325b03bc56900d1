"""What a language model is trained on."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Example:
    """One training pair: what the model reads and what it should generate."""

    input: str
    target: str


@dataclass(frozen=True)
class TokenExample:
    """A training pair that no string can hold: token ids of the backbone's text tokenizer.

    Both are complete: the end of text is among them where it belongs.
    """

    input_ids: tuple[int, ...]
    target_ids: tuple[int, ...]
