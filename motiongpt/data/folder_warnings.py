"""What is odd about a folder of takes as a whole: lines that name the options which mend it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from motiongpt.data.captured import LIES
from motiongpt.data.fair_splits import empty_splits
from motiongpt.data.takes import Cutting, Take
from motiongpt.errors import UserError
from motiongpt.printable import printable

Odd = tuple[str, Mapping[str, str]]
"""Name of a take, and `Captured.odd` of it."""


def folder_warnings(
    odd: Sequence[Odd], takes: Sequence[Take], cutting: Cutting, captions: str
) -> Iterator[str]:
    """Lines about all takes together.

    One person may lie; where most do, the files have another axis up.

    Args:
        odd: of all takes that could be read.
        captions: name of the captions file; empty where there is none.

    Raises:
        UserError: most people lie.
    """
    usable = [take for take in takes if take.usable]
    used = {take.name for take in usable}
    kinds = _by_kind([one for one in odd if one[0] in used])
    for kind, lines in kinds.items():
        names = ", ".join(printable(name) for name, _ in lines[:3])
        more = ", …" if len(lines) > 3 else ""
        commonest = Counter(line for _, line in lines).most_common(1)[0][0]
        said = f"{len(lines)} of {len(usable)} files ({names}{more}): {commonest}"
        if kind == LIES and 2 * len(lines) > len(usable):
            raise UserError(said)
        yield said
    yield from _of_cutting([take for take in usable if take.cut], cutting, captions)
    empty = empty_splits(takes)
    if empty and usable:
        yield (
            f"no clip in {' and '.join(empty)}: all parts of a file are in one split; add files, "
            f"or a column split (train, val, test) to {captions or 'a captions file'}"
        )


def _by_kind(odd: Sequence[Odd]) -> dict[str, list[tuple[str, str]]]:
    kinds: dict[str, list[tuple[str, str]]] = {}
    for name, of_take in odd:
        for kind, line in of_take.items():
            kinds.setdefault(kind, []).append((name, line))
    return kinds


def _of_cutting(cut: Sequence[Take], cutting: Cutting, captions: str) -> Iterator[str]:
    """What parts of a take that share a caption show is told by hand."""
    if not cut:
        return
    name, seconds = printable(cut[0].name), cutting.max_frames / cutting.fps
    who, are = (name, "is") if len(cut) == 1 else (f"{name} and {len(cut) - 1} more", "are")
    more = f"; each has its take's captions: from and to in {captions} say what happens when"
    yield (
        f"{who} {are} longer than {seconds:g} s and {are} cut into "
        f"{sum(len(take.clips) for take in cut)} clips{more if captions else ''}"
    )
