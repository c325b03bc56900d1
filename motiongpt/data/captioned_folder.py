"""A folder of motion files with a captions file: how users bring their own motion capture.

What the kinds of files share; each kind is a class of its own. Shape letters: T frames.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from motiongpt.data.bvh_reading import mapper
from motiongpt.data.caption_file import CaptionLine, existing_caption_file, read_caption_file
from motiongpt.data.captured import Captured, checked_skip, option_of_data
from motiongpt.data.clip import SPLITS, BadClip, Clip, SourceMissing
from motiongpt.data.fair_splits import FEW_TAKES, fair_splits
from motiongpt.data.folder_warnings import Odd, folder_warnings
from motiongpt.data.hash_split import split_by_hash
from motiongpt.data.joint_mapping import mapping_file, mapping_files
from motiongpt.data.label_words import LabelWords
from motiongpt.data.takes import Cutting, Take, clips_of_take
from motiongpt.errors import UserError
from motiongpt.motion.resample import checked_fps
from motiongpt.motion.skeleton import HUMANML3D

InOrder = Callable[..., Iterator[Captured | str]]


class CaptionedFolder(ABC):
    """The motion files in a folder and its subfolders that the captions file names.

    Without a captions file all files are taken, without captions and labels.

    A file is one clip, called as its path in the folder, without ending and with "__" for "/";
    where captions are about parts of it, each part is one; what is too long is cut (`takes`). Where
    the captions file gives no split, the hash of the file's name does: 80 / 5 / 15 %, and in small
    folders each split gets at least one file. Files without caption, too short or malformed, and
    captions of files that don't exist are bad clips.

    Attributes:
        warnings: what is odd about the files, once `clips` has gone through them: lines that name
            the options which mend it.
    """

    skeleton = HUMANML3D
    expected_counts: Mapping[str, int] = {}
    ending: ClassVar[str]  # of the files, in small letters, as ".bvh"
    warnings: tuple[str, ...] = ()

    def __init__(
        self,
        path: str,
        captions: str | None,
        mapping: str | None = None,
        fps: float = 20.0,
        metres_per_unit: float | None = None,
        up_axis: str | None = None,
        min_frames: int = 8,
        max_frames: int = 199,
        action_words: Mapping[str, Sequence[str]] | None = None,
        workers: int = 0,
        skip_first: int = 0,
        overlap: float = 0.0,
    ) -> None:
        """Note where the files are; nothing is read yet.

        Args:
            path: the folder.
            captions: the captions file, its format is told in `caption_file`; a relative path is
                looked for in the folder first. None for motion without words.
            mapping: yaml file or shipped name of a joint mapping; None finds, for each file, the
                shipped one that fits its joints.
            fps: frames per second of the clips; files of other rates are resampled.
            metres_per_unit: replaces the mapping's, such as 0.01 for centimetres.
            up_axis: "Y" or "Z", replaces the mapping's.
            min_frames: fewest feature rows at `fps`; a file needs one frame more.
            max_frames: most feature rows of a clip; what is longer is cut. HumanML3D's loader:
                below 200.
            action_words: label -> regular expressions by which a caption (lower case) names it. A
                label that is not here is named by its own words.
            workers: processes that read files; 0 reads them in this process.
            skip_first: frames at the start of every file to leave out, such as a T-pose.
            overlap: seconds that neighbouring clips of a long take share.

        Raises:
            UserError: a setting that can't be used.
        """
        self.folder = Path(path)
        self.fps = checked_fps(fps)
        words = "with" if captions is not None else "without"
        self.description = f"{self._kind} files {words} captions, at {fps:g} fps"
        self.action_words: Mapping[str, tuple[str, ...]] = LabelWords(
            self.labels, action_words or {}
        )
        self._captions = None if captions is None else Path(captions)
        self._mapping = mapping
        self._metres_per_unit, self._up_axis = metres_per_unit, up_axis
        self._cutting = Cutting(self.fps, min_frames, max_frames, overlap)
        self._workers = workers
        self._skip_first = checked_skip(skip_first, "data.source.skip_first")
        if metres_per_unit is not None and not metres_per_unit > 0:
            raise UserError(
                f"data.source.metres_per_unit={metres_per_unit}: expected a number above zero"
            )
        if up_axis not in (None, "Y", "Z"):
            raise UserError(f"data.source.up_axis={up_axis}: expected Y or Z")

    @abstractmethod
    def _joints(self, files: Mapping[str, Path], in_order: InOrder) -> Iterator[Captured | str]:
        """What each file holds, at `fps`, or why it can't be used.

        Args:
            in_order: `map`, perhaps over processes.
        """

    def __len__(self) -> int:
        return len(self._files) + len(self._absent)

    def files(self) -> Mapping[str, Path]:
        """The motion files, the captions file and the joint mappings that may be used.

        Raises:
            SourceMissing: no folder.
            UserError: no motion file in it, no captions file or no such mapping.
        """
        found = {f"{name}{self.ending}": path for name, path in self._files.items()}
        if self._captions_file is not None:
            found[self._captions_name] = existing_caption_file(self._captions_file)
        named = mapping_files() if self._mapping is None else [mapping_file(self._mapping)]
        return found | {f"mapping {path.name}": path for path in named}

    def clips(self) -> Iterator[Clip | BadClip]:
        """Yield captions of absent files as bad clips, then the files' clips by name.

        Raises:
            UserError: no folder, no motion file in it, no captions file or a malformed one, the
                joint mapping can't be read, or most people lie and `up_axis` is not given.
        """
        for name, lines in self._absent.items():
            yield BadClip(
                _clip_name(name),
                f"line {lines[0].number} of {self._captions_name} names it, but there is no "
                f"{name}{self.ending} in {self.folder}",
            )
        odd: list[Odd] = []
        takes = self._takes(odd)
        if len(self._files) < FEW_TAKES:
            takes = iter(fair_splits(list(takes)))
        passed = []
        for take in takes:
            passed.append(_without_joints(take))
            yield from take.clips
        self._look_back(odd, passed)

    def _takes(self, odd: list[Odd]) -> Iterator[Take]:
        """Each file; notes in `odd` what is odd about it."""
        with mapper(self._workers) as in_order:
            for name, found in zip(self._files, self._joints(self._files, in_order), strict=True):
                if isinstance(found, Captured):
                    odd.append((_clip_name(name), found.odd(option_of_data, self._up_axis)))
                yield self._take(name, found)

    def _take(self, name: str, found: Captured | str) -> Take:
        lines = self._lines.get(name, [])
        own = _clip_name(name)
        problem = None if self._captions is None else _lines_problem(lines, self._captions_name)
        splits = [line.split for line in lines if line.split]
        split = splits[0] if splits else split_by_hash(own)
        if problem is None and isinstance(found, str):
            problem = found
        if problem is not None:
            return Take(own, split, bool(splits), (BadClip(own, problem),))
        assert isinstance(found, Captured)
        clips = tuple(clips_of_take(own, split, lines, found.joints, found.skipped, self._cutting))
        spans = {(line.start, line.end) for line in lines}
        return Take(own, split, bool(splits), clips, len(clips) > max(1, len(spans)))

    def _look_back(self, odd: Sequence[Odd], takes: Sequence[Take]) -> None:
        """What is odd about all files together.

        Raises:
            UserError: most people lie.
        """
        try:
            lines = list(folder_warnings(odd, takes, self._cutting, self._captions_name))
        except UserError as error:
            raise UserError(f"{self.folder}: {error}") from None
        self.warnings = tuple(f"{self.folder}: {line}" for line in lines)

    @property
    def _kind(self) -> str:
        return self.ending[1:].upper()

    @cached_property
    def _files(self) -> dict[str, Path]:
        """Path within the folder, without ending -> the file; in the order of the names."""
        found = self._with_ending(self.ending)
        if not found:
            raise UserError(
                f"no {self.ending} file in {self.folder}; pass the folder of your {self._kind} "
                "files as data.source.path=FOLDER"
            )
        named = ((path.relative_to(self.folder).with_suffix("").as_posix(), path) for path in found)
        files: dict[str, Path] = {}
        for name, path in sorted(named):
            if name in files:
                raise UserError(f"{files[name]} and {path} have one name; rename one")
            files[name] = path
        return files

    def _with_ending(self, ending: str) -> list[Path]:
        """All files of the folder that end so, whatever the case of the letters."""
        if not self.folder.is_dir():
            raise SourceMissing(
                f"no folder {self.folder}; pass the folder of your {self._kind} files as "
                "data.source.path=FOLDER"
            )
        return [path for path in self.folder.rglob("*") if path.suffix.lower() == ending]

    @cached_property
    def _lines(self) -> dict[str, list[CaptionLine]]:
        """Path within the folder, without ending -> what the captions file says of it."""
        by_file: dict[str, list[CaptionLine]] = {}
        if self._captions_file is None:
            return by_file
        for line in read_caption_file(self._captions_file):
            by_file.setdefault(line.file, []).append(line)
        return by_file

    @property
    def _captions_file(self) -> Path | None:
        """In the folder, or where the path says if it is only there."""
        if self._captions is None:
            return None
        inside = self.folder / self._captions
        return self._captions if not inside.exists() and self._captions.exists() else inside

    @property
    def _captions_name(self) -> str:
        return "" if self._captions is None else self._captions.name

    @property
    def _absent(self) -> dict[str, list[CaptionLine]]:
        files = self._files
        return {name: lines for name, lines in self._lines.items() if name not in files}

    def labels(self) -> tuple[str, ...]:
        """All labels of the captions file, sorted."""
        lines = (line for of_file in self._lines.values() for line in of_file)
        return tuple(sorted({label for line in lines for label in line.labels}))


def _without_joints(take: Take) -> Take:
    """What stays of a take that has gone by."""
    clips = [replace(one, joints=None) if isinstance(one, Clip) else one for one in take.clips]
    return replace(take, clips=tuple(clips))


def _clip_name(name: str) -> str:
    """Names are used as file names too, so they hold no "/"."""
    return name.replace("/", "__")


def _lines_problem(lines: Sequence[CaptionLine], file: str) -> str | None:
    if not any(line.captions for line in lines):
        return f"no caption in {file}"
    for line in lines:
        if not all(line.captions):
            return f"empty caption in line {line.number} of {file}"
        if line.split and line.split not in SPLITS:
            return (
                f"unknown split {line.split!r} in line {line.number} of {file}, expected one of "
                f"{', '.join(SPLITS)}"
            )
    splits = sorted({line.split for line in lines if line.split})
    return f"in two splits: {' and '.join(splits)}" if len(splits) > 1 else None
