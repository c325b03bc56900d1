"""A folder of AMC files, the ASF files of their skeletons, and a captions file."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path

from motiongpt.data.asf_amc.reading import read_amc_joints
from motiongpt.data.captioned_folder import CaptionedFolder, InOrder
from motiongpt.data.captured import Captured
from motiongpt.data.joint_mapping import load_mapping
from motiongpt.errors import UserError
from motiongpt.motion.resample import checked_fps

_log = logging.getLogger(__name__)


class AsfAmcFolderSource(CaptionedFolder):
    """As `CaptionedFolder`, of AMC files.

    The skeleton of 29_03.amc is 29_03.asf or 29.asf, the nearest one in the folder; else the only
    one that lies beside it, else the only one of the folder.
    """

    ending = ".amc"

    def __init__(
        self,
        path: str,
        captions: str | None,
        mapping: str | None = None,
        files_fps: float = 120.0,
        asf: str | None = None,
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

        Args besides those of `CaptionedFolder`:
            files_fps: frames per second of the AMC files, which do not tell them; CMU's captures
                have 120, some 60.
            asf: the one skeleton of all files; a relative path is looked for in the folder first.

        Raises:
            UserError: a setting that can't be used.
        """
        super().__init__(
            path, captions, mapping, fps, metres_per_unit, up_axis, min_frames, max_frames,
            action_words, workers, skip_first, overlap,
        )  # fmt: skip
        if not 0 < files_fps < float("inf"):
            raise UserError(f"data.source.files_fps={files_fps}: expected a number above zero")
        self._files_fps = checked_fps(files_fps)
        self._asf = None if asf is None else Path(asf)

    def files(self) -> Mapping[str, Path]:
        """As `CaptionedFolder.files`, and the skeletons."""
        given = {} if self._asf is None else {f"skeleton {self._asf.name}": self._given}
        within = {path.relative_to(self.folder).as_posix(): path for path in self._skeletons}
        return {**super().files(), **within, **given}

    def _joints(self, files: Mapping[str, Path], in_order: InOrder) -> Iterator[Captured | str]:
        _log.warning(
            "AMC files tell no frame rate: %g frames per second are taken (data.source.files_fps)",
            self._files_fps,
        )
        read = partial(
            read_amc_joints,
            files_fps=self._files_fps,
            fps=self.fps,
            mapping=None if self._mapping is None else load_mapping(self._mapping),
            metres_per_unit=self._metres_per_unit,
            up_axis=self._up_axis,
            skip_first=self._skip_first,
        )
        return in_order(read, files.values(), map(self._skeleton_of, files.values()))

    @cached_property
    def _skeletons(self) -> list[Path]:
        return sorted(self._with_ending(".asf"))

    @cached_property
    def _given(self) -> Path:
        """The skeleton that `asf` names."""
        assert self._asf is not None
        inside = self.folder / self._asf
        found = inside if inside.exists() else self._asf
        if not found.is_file():
            raise UserError(f"data.source.asf={self._asf}: no such file; give the .asf file's path")
        return found

    def _skeleton_of(self, motion: Path) -> Path | str:
        """The ASF file of an AMC file, or why there is none."""
        if self._asf is not None:
            return self._given
        names = {motion.stem.lower(), motion.stem.rpartition("_")[0].lower()}
        named = [path for path in self._skeletons if path.stem.lower() in names]
        if named:
            return min(named, key=lambda path: _steps(path, motion))
        beside = [path for path in self._skeletons if path.parent == motion.parent]
        for candidates in (beside, self._skeletons):
            if len(candidates) == 1:
                return candidates[0]
        return (
            f"no skeleton of {motion.name}: expected {motion.stem}.asf"
            + (f" or {subject}.asf" if (subject := motion.stem.rpartition("_")[0]) else "")
            + f" in {self.folder}; or give one for all as data.source.asf=FILE"
        )


def _steps(path: Path, other: Path) -> tuple[int, str]:
    """How far two files lie apart, in folders; names decide where that is the same."""
    shared = sum(1 for a, b in zip(path.parts, other.parts, strict=False) if a == b)
    return len(path.parts) + len(other.parts) - 2 * shared, str(path)
