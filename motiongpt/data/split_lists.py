"""The split lists train.txt, val.txt and test.txt: one id a line."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from motiongpt.data.checks import name_problems
from motiongpt.data.clip import SPLITS, BadClip
from motiongpt.errors import UserError
from motiongpt.reading import read_text


@dataclass(frozen=True)
class SplitLists:
    """Ids per split, and what is wrong with the lists.

    Attributes:
        ids: split -> its ids, each once, in the list's order.
        bad: ids in two splits, and ids that a list names more than once.
        excluded: ids in two splits, which are used in none.
    """

    ids: Mapping[str, tuple[str, ...]]
    bad: tuple[BadClip, ...]
    excluded: frozenset[str]


def read_split_lists(folder: Path) -> SplitLists:
    """Read the three lists of `folder`.

    Raises:
        UserError: a list is missing or can't be read.
    """
    ids, bad = {}, []
    for split in SPLITS:
        found = Counter(_read(folder / f"{split}.txt"))
        ids[split] = tuple(found)
        bad += [
            BadClip(f"{split}.txt", f"names {name} {times} times; one is used")
            for name, times in found.items()
            if times > 1
        ]
    problems = name_problems((name, split) for split in SPLITS for name in ids[split])
    bad += [BadClip(name, reason) for name, reason in problems.items()]
    return SplitLists(ids, tuple(bad), frozenset(problems))


def _read(path: Path) -> list[str]:
    try:
        lines = read_text(path, "utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} can't be read ({error}); put the data set's own list there") from (
            error
        )
    return [line.strip() for line in lines if line.strip()]
