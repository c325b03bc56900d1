"""Small folders: each split gets at least one take, where the hash of names leaves one empty."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from motiongpt.data.clip import SPLITS, Clip
from motiongpt.data.takes import Take

# Of so many takes some fall into each split: without one of 5 % are (0.95)^200, 4 in 100,000.
FEW_TAKES = 200


def fair_splits(takes: Sequence[Take]) -> list[Take]:
    """The same takes; some whose split nobody gave are moved, if a split has none that is usable.

    A take with half of all clips is trained on. Then the split with the most takes gives the one
    whose name hashes lowest, so that the result depends on nothing but names and lengths. Where
    there is none to give, the split stays empty.
    """
    clips = sum(_usable_clips(take) for take in takes)
    moved = [
        _in_split(take, "train") if not take.given and 2 * _usable_clips(take) > clips else take
        for take in takes
    ]
    for split in ("train", "test", "val"):
        counts = Counter(take.split for take in moved if take.usable)
        if counts[split]:
            continue
        free = [take for take in moved if take.usable and not take.given]
        givers = {take.split for take in free if counts[take.split] > 1 or split == "train"}
        if not givers:
            continue
        giver = max(SPLITS, key=lambda name: (name in givers, counts[name]))
        taken = min(
            (take for take in free if take.split == giver),
            key=lambda take: (2 * _usable_clips(take) > clips, _key(take, split)),
        )
        moved[moved.index(taken)] = _in_split(taken, split)
    return moved


def empty_splits(takes: Sequence[Take]) -> list[str]:
    """Splits without a usable clip."""
    there = {take.split for take in takes if take.usable}
    return [split for split in SPLITS if split not in there]


def _usable_clips(take: Take) -> int:
    return sum(isinstance(clip, Clip) for clip in take.clips)


def _in_split(take: Take, split: str) -> Take:
    clips = [replace(one, split=split) if isinstance(one, Clip) else one for one in take.clips]
    return replace(take, split=split, clips=tuple(clips))


def _key(take: Take, split: str) -> str:
    name = f"{split}:{take.name}".encode(errors="surrogateescape")
    return hashlib.sha256(name).hexdigest()
