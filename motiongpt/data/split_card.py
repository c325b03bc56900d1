"""What a data card says of one split, and in words; `motiongpt.data.card` makes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FRAMES = 16  # of a clip that are compared, evenly spread over it


@dataclass(frozen=True)
class SplitCard:
    """What one split has in common with train.

    Distances are root mean squares, in centimetres, over all joints and `FRAMES` moments evenly
    spread over each clip, both clips beginning over the origin and facing +Z; their lengths may
    differ. Captions are compared as lower-case words without punctuation.

    Attributes:
        clips, train: how many there are.
        nearest_cm: 10th, 50th and 90th percentile of the distance to the nearest clip of train.
        any_cm: median distance to any clip of train: what the nearest is to be seen beside.
        captions: of the split; none where the data has no words.
        known_percent: of them, those that stand in train word for word.
        overlap_percent: median share of words that a caption has in common with the nearest of
            train (Jaccard index).
    """

    split: str
    clips: int
    train: int
    nearest_cm: tuple[float, float, float]
    any_cm: float
    captions: int
    known_percent: float | None
    overlap_percent: float | None

    def __str__(self) -> str:
        low, middle, high = self.nearest_cm
        said = (
            f"{self.split}, {self.clips:,} clips, to train, {self.train:,} clips: nearest clip "
            f"{middle:.1f} cm away ({low:.1f} to {high:.1f}), any clip {self.any_cm:.1f} cm"
        )
        if self.known_percent is None:
            return said
        return (
            f"{said}; {self.known_percent:.0f} % of {self.captions:,} captions stand in train word "
            f"for word, the nearest has {self.overlap_percent:.0f} % of the words in common"
        )


def split_card(found: Mapping[str, Any]) -> SplitCard:
    """The card of a split that was written as plain values."""
    low, middle, high = map(float, found["nearest_cm"])
    return SplitCard(**{**found, "nearest_cm": (low, middle, high)})


def card_text(found: Mapping[str, Any]) -> str:
    """What a card that was written as plain values says, in one line."""
    return str(split_card(found))
