"""The motion files of CMU trials in a folder, loose or packed, and the skeletons of AMC files."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from motiongpt.data.clip import BadClip
from motiongpt.data.cmu.words import TRIAL
from motiongpt.data.packed_files import packed_files

BVH, AMC, ASF = ".bvh", ".amc", ".asf"
TARS = (".tar", ".tar.xz", ".tar.gz", ".tgz", ".tar.bz2")


@dataclass(frozen=True)
class TrialFile:
    """The motion file of one trial.

    Attributes:
        trial: as "02_01".
        name: of the file.
        content: its bytes.
        skeleton: bytes of the ASF file of an AMC; None for a BVH, and where there is none at all.
        borrowed: the skeleton is another subject's.
    """

    trial: str
    name: str
    content: bytes
    skeleton: bytes | None
    borrowed: bool = False


def motion_places(folder: Path) -> list[Path]:
    """The tar archives in `folder`, then the folder itself with all zip archives below it."""
    return [*sorted(path for path in folder.glob("*") if path.name.endswith(TARS)), folder]


def trial_files(folder: Path, trials: Collection[str]) -> Iterator[TrialFile | BadClip]:
    """The file of each of `trials` that is there, once; BVH where there are both.

    An AMC file gets the ASF file of its subject (127_08: 127.asf), else the first of all: that
    shows the motion, with another person's lengths of bones.

    Raises:
        UserError: an archive that can't be read.
    """
    places = motion_places(folder)
    seen: set[str] = set()
    for place in places:
        for name, content in packed_files(place, (BVH,), lambda name: _trial(name) in trials):
            if _trial(name) not in seen:
                seen.add(_trial(name))
                yield (
                    content
                    if isinstance(content, BadClip)
                    else TrialFile(_trial(name), name, content, None)
                )
    left = set(trials) - seen
    skeletons = _skeletons(places) if left else {}
    for place in places:
        for name, content in packed_files(place, (AMC,), lambda name: _trial(name) in left):
            if _trial(name) not in seen:
                seen.add(_trial(name))
                yield (
                    content
                    if isinstance(content, BadClip)
                    else _with_skeleton(name, content, skeletons)
                )


def _with_skeleton(name: str, content: bytes, skeletons: Mapping[str, bytes]) -> TrialFile:
    """An AMC file with the ASF file of its subject, else with the first by name."""
    own = skeletons.get(_trial(name).partition("_")[0])
    other = next(iter(skeletons.values()), None)
    borrowed = own is None and other is not None
    return TrialFile(_trial(name), name, content, other if own is None else own, borrowed)


def _skeletons(places: list[Path]) -> dict[str, bytes]:
    """Name of each ASF file without ending -> its bytes, in the order of the names."""
    found: dict[str, bytes] = {}
    for place in places:
        for name, content in packed_files(place, (ASF,), lambda name: True):
            if not isinstance(content, BadClip):
                found.setdefault(name.removesuffix(ASF), content)
    return dict(sorted(found.items()))


def _trial(name: str) -> str:
    """The trial that a file's name tells; empty for other files."""
    stem = name.rpartition(".")[0]
    return stem if TRIAL.fullmatch(stem) else ""
