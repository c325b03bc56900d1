"""Which file is which clip and which draw, by its name.

A file is called as its clip: `012345.npy`. Where a system made several motions of a clip, a number
says which, `012345_0.npy`, or a folder does, `0/012345.npy`; both are called draws here. A clip
whose name holds "__" may lie in folders instead, as `walks/slow.npy` for `walks__slow`.
"""

import os
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from motiongpt.errors import UserError
from motiongpt.printable import printable

STATISTICS = frozenset({"mean.npy", "std.npy"})  # of features, beside them; in any letters
MOST_FILES = 2_000_000  # in a folder that is searched
SHOWN = 3  # names in a complaint
NUMBERED = re.compile(r"(.+)_(\d{1,6})")


@dataclass(frozen=True)
class Layout:
    """The files of a folder.

    Attributes:
        draws: label of each draw -> clip -> file; the label is empty where there is but one.
        aside: files of clips that are in the data, but not asked about.
        unknown: files whose names are no clip's.
    """

    draws: dict[str, dict[str, Path]]
    aside: list[Path]
    unknown: list[Path]


def find_files(folder: Path, endings: Collection[str], leave_out: Path | None = None) -> list[Path]:
    """Files below a folder that have one of the endings, by name; statistics of features are none.

    Links to folders are not followed, so that none is searched without end.

    Args:
        leave_out: a folder that is not searched: scores may be written into the same one.

    Raises:
        UserError: no folder, or none of these files in it.
    """
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder; name the one that holds the predictions")
    found: list[Path] = []
    left_out = None if leave_out is None else leave_out.resolve()
    for above, inner, names in os.walk(folder):
        searched = (name for name in inner if not name.startswith("."))
        inner[:] = sorted(name for name in searched if Path(above, name).resolve() != left_out)
        wanted = (name for name in names if Path(name).suffix.lower() in endings)
        found += [Path(above, name) for name in wanted if name.lower() not in STATISTICS]
        if len(found) > MOST_FILES:
            raise UserError(f"{folder}: more than {MOST_FILES:,} files; name a smaller folder")
    if not found:
        raise UserError(f"{folder}: no file that ends in {', '.join(sorted(endings))} in it")
    return sorted(found)


def laid_out(
    folder: Path, files: Iterable[Path], asked: Sequence[str], known: Iterable[str]
) -> Layout:
    """Sort files by draw and clip.

    Args:
        asked: names of the clips that are asked about.
        known: names of all clips of the data.

    Raises:
        UserError: no file is of a clip that is asked about, or two are of one draw of a clip.
    """
    wanted, names = set(asked), set(known)
    found = Layout({}, [], [])
    for file in files:
        clip, draw = _clip_and_draw(file.relative_to(folder).with_suffix("").parts, names)
        if clip is None:
            found.unknown.append(file)
        elif clip not in wanted:
            found.aside.append(file)
        else:
            there = found.draws.setdefault(draw, {})
            if clip in there:
                raise UserError(f"{there[clip]} and {file} are both of clip {clip}; remove one")
            there[clip] = file
    if not found.draws:
        raise UserError(_no_clip(folder, found, asked))
    return Layout(
        {draw: found.draws[draw] for draw in sorted(found.draws, key=_numbers_first)},
        found.aside,
        found.unknown,
    )


def shown(names: Sequence[object]) -> str:
    """The first few of many names."""
    return ", ".join(printable(str(one)) for one in names[:SHOWN]) + (
        ", …" if len(names) > SHOWN else ""
    )


def _clip_and_draw(parts: Sequence[str], names: Collection[str]) -> tuple[str | None, str]:
    """Longest name first: a clip's own name may end in a number."""
    joined, inner = "__".join(parts), "__".join(parts[1:])
    if joined in names:
        return joined, ""
    if inner in names:
        return inner, parts[0]
    numbered = NUMBERED.fullmatch(joined)
    if numbered and numbered[1] in names:
        return numbered[1], numbered[2]
    return None, ""


def _numbers_first(draw: str) -> tuple[bool, int, str]:
    number = re.search(r"\d+$", draw[-9:])
    return number is None, int(number[0]) if number else 0, draw


def _no_clip(folder: Path, found: Layout, asked: Sequence[str]) -> str:
    if found.aside:
        return (
            f"{folder}: {len(found.aside)} files are of clips that are not asked about "
            f"({shown([one.name for one in found.aside])}); asked about are {shown(asked)}: is it "
            "another split or another data set (data=, protocol.split=)?"
        )
    return (
        f"{folder}: no file is called as a clip of the data: found "
        f"{shown([one.name for one in found.unknown])}, expected names such as {shown(asked)}"
    )
