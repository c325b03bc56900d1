"""How many clips a data set has, beside how many it is known to have."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from typing import Protocol, runtime_checkable

from motiongpt.data.checks import sample
from motiongpt.data.clip import SPLITS, BadClip, Clip, MotionSource

# Share of rejected clips above which a store is said to be a part of its data set. A whole
# HumanML3D loses a few percent to its loader's limits of length.
MANY_REJECTED = 0.2


@runtime_checkable
class ListsClips(Protocol):
    """A source with split lists, whose counts are the ones a data set is known by."""

    def listed_counts(self) -> Mapping[str, int]:
        """Ids in each split's list."""
        ...


def counted(clips: Iterable[Clip | BadClip], yielded: Counter[str]) -> Iterator[Clip | BadClip]:
    """The same clips, added up by split in `yielded` as they go by, good or not."""
    for clip in clips:
        if isinstance(clip, Clip):
            yielded[clip.split] += 1
        yield clip


def as_counted(source: MotionSource, yielded: Mapping[str, int]) -> dict[str, int]:
    """Clips per split as the data set counts them: ids in its lists, else what was `yielded`."""
    counts = source.listed_counts() if isinstance(source, ListsClips) else yielded
    return per_split(counts)


def per_split(counts: Mapping[str, int]) -> dict[str, int]:
    """`counts` of the three splits and no other."""
    return {split: counts.get(split, 0) for split in SPLITS}


def unexpected(found: Mapping[str, int], expected: Mapping[str, int]) -> list[str]:
    """Splits whose count is not the one the data set is known to have."""
    return [split for split, count in expected.items() if found[split] != count]


def shortfall(
    found: Mapping[str, int], expected: Mapping[str, int], good: Sized, bad: Sequence[BadClip]
) -> str:
    """One line that says how a store is only a part of its data set; empty where it is whole."""
    parts = [
        f"{split} has {found[split]:,} clips, expected {expected[split]:,}"
        for split in unexpected(found, expected)
    ]
    if len(bad) > MANY_REJECTED * (len(good) + len(bad)):
        total = len(good) + len(bad)
        parts.append(f"{len(bad):,} of {total:,} clips are rejected: {sample(bad, most=2)}")
    return "; ".join(parts)
