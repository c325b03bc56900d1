"""What a caption score depends on besides the sentences: their letters, and how many references.

Tokenisation is part of a protocol: on the same sentences lower-casing and dropping punctuation
moves CIDEr by a third.
"""

import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import cycle, islice

from motiongpt.errors import UserError

PUNCTUATION = str.maketrans("", "", string.punctuation)


@dataclass(frozen=True)
class CaptionProtocol:
    """How sentences are prepared for a back end, predictions and references alike.

    Attributes:
        name: under which results are reported.
        lower_case: whether capitals become small letters.
        drop_punctuation: whether ASCII punctuation is removed and runs of spaces become one.
        references: of every clip; CIDEr is a mean over them, so their number counts. A clip with
            fewer repeats its own from the first on (A; A, B, A), one with more gives its first:
            three in the evaluation of MotionGPT.
    """

    name: str
    lower_case: bool
    drop_punctuation: bool
    references: int = 3

    def sentence(self, text: str) -> str:
        """The sentence as it is scored; with both switches off, to the letter as it stands."""
        if self.lower_case:
            text = text.lower()
        if self.drop_punctuation:
            text = " ".join(text.translate(PUNCTUATION).split())
        return text

    def reference_sentences(self, captions: Sequence[str]) -> list[str]:
        """As many references as the protocol asks, from one caption or more."""
        return [self.sentence(caption) for caption in islice(cycle(captions), self.references)]


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        CaptionProtocol("raw", lower_case=False, drop_punctuation=False),
        CaptionProtocol("normalised", lower_case=True, drop_punctuation=True),
    )
}


def caption_protocol(name: str) -> CaptionProtocol:
    """The protocol of that name.

    Raises:
        UserError: there is none; names the valid ones.
    """
    if name not in PROTOCOLS:
        raise UserError(f"{name}: no such caption protocol; valid: {', '.join(PROTOCOLS)}")
    return PROTOCOLS[name]


def check_references(
    protocol: str, clips: Iterable[str], references: Iterable[Sequence[str]]
) -> None:
    """Refuse clips of whose references a preparation leaves no word: nothing can be compared.

    Args:
        protocol: its name, for the message.
        references: of each clip, prepared.

    Raises:
        UserError: names the first such clip.
    """
    for clip, sentences in zip(clips, references, strict=True):
        if not any(sentence.strip() for sentence in sentences):
            raise UserError(
                f"{clip}: the protocol {protocol} leaves no word of its references; give it one "
                "with words, leave the clip out, or choose another protocol"
            )
