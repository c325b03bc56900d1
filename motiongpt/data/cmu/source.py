"""CMU motion capture with HumanML3D's human-written captions as a motion source."""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from motiongpt.data.ahead import in_order
from motiongpt.data.clip import BadClip, Clip, SourceMissing
from motiongpt.data.cmu.conversion import Cut, to_clips
from motiongpt.data.cmu.fetching import fetch_all
from motiongpt.data.cmu.motions import TrialFile, motion_places, trial_files
from motiongpt.data.cmu.words import CmuClip, read_words, words_files
from motiongpt.data.github import GitHubRepository
from motiongpt.errors import UserError
from motiongpt.motion.resample import checked_fps
from motiongpt.motion.skeleton import HUMANML3D

_log = logging.getLogger(__name__)
# The clips of HumanML3D's index that are of CMU trials, by its split lists; mirrored ones, whose
# ids begin with M, are not counted.
EXPECTED_COUNTS = {"train": 2303, "val": 159, "test": 451}
_MOTIONS = (".bvh", ".amc", ".asf", ".zip")


class CmuCaptionedSource:
    """HumanML3D's clips of CMU trials, cut by its index, with its captions and split lists.

    Of a folder is taken what is there: words as `words.read_words` finds them, motions as
    `motions.trial_files` does, loose or packed. Clips come trial by trial, in the order in which
    the files do. The skeleton is CMU's own, not SMPL's: features differ from HumanML3D's.
    """

    skeleton = HUMANML3D
    action_words: Mapping[str, tuple[str, ...]] = {}
    expected_counts: Mapping[str, int] = EXPECTED_COUNTS

    def __init__(
        self,
        path: str,
        fps: float = HUMANML3D.fps,
        min_frames: int = 8,
        max_frames: int = 199,
        workers: int = 2,
        download: bool = False,
        progress: bool = True,
        words: GitHubRepository | None = None,
        motions: GitHubRepository | None = None,
    ) -> None:
        """Note where the files are; nothing is read yet.

        Args:
            path: the folder.
            fps: frames per second of the clips.
            min_frames: fewest feature rows. HumanML3D's loader has 40, its index shorter clips.
            max_frames: most feature rows.
            workers: processes that read motion files; 0 reads in this one. The content is the same.
            download: fetch what is absent into the folder, as far as it is published.
            progress: show bars while it is fetched.
            words, motions: the repositories to fetch from.

        Raises:
            UserError: a number below its least, or a download without repositories.
        """
        if workers < 0 or min_frames < 1:
            raise UserError(
                f"data.source: workers={workers}, min_frames={min_frames}: give 0 and 1 or more"
            )
        if download and (words is None or motions is None):
            raise UserError("data.source.download=true needs data.source.words and .motions")
        self.folder, self.fps = Path(path), checked_fps(fps)
        self.description = "CMU motion capture with HumanML3D's captions"
        self._cut = Cut(self.fps, min_frames, max_frames)
        self._workers, self._progress = workers, progress
        self._absent: Counter[str] = Counter()  # clips without a motion file, known once read
        self._repositories = (words, motions) if download and words and motions else None

    def __len__(self) -> int:
        self._get()
        return sum(len(clips) for clips in self._by_trial.values())

    def listed_counts(self) -> Mapping[str, int]:
        """Clips of each split; once `clips` has run, those whose trial is there."""
        found = Counter(clip.split for clips in self._by_trial.values() for clip in clips)
        return {split: found[split] - self._absent[split] for split in EXPECTED_COUNTS}

    def files(self) -> Mapping[str, Path]:
        """The files of words, the archives and the loose motion files, by their path within.

        Raises:
            SourceMissing: no folder, or no words in it, and they are not to be fetched.
            UserError: a download that failed.
        """
        self._get()
        found: dict[str, Path] = {}
        for name, path in words_files(self.folder).items():
            inner = sorted(path.rglob("*.txt")) if path.is_dir() else [path]
            found |= {name if path == file else f"{name}/{file.name}": file for file in inner}
        *packed, folder = motion_places(self.folder)
        loose = [path for path in folder.rglob("*") if path.suffix in _MOTIONS]
        return found | {path.relative_to(folder).as_posix(): path for path in [*packed, *loose]}

    def clips(self) -> Iterator[Clip | BadClip]:
        """Yield the clips of the trials that are there; malformed ones are bad clips.

        Raises:
            UserError: as `files`, or no motion file of any clip.
        """
        self._get()
        yield from self._bad_words
        wanted = self._by_trial
        seen: set[str] = set()
        borrowed: list[str] = []

        def arguments() -> Iterator[tuple[TrialFile | BadClip, list[CmuClip], Cut]]:
            for file in trial_files(self.folder, wanted):
                trial = file.name if isinstance(file, BadClip) else file.trial
                seen.add(trial)
                borrowed.extend([trial] if isinstance(file, TrialFile) and file.borrowed else [])
                yield file, wanted.get(trial, []), self._cut

        for clips in in_order(_converted, arguments(), self._workers):
            yield from clips
        if borrowed:
            _log.warning(
                "%s: no ASF file of the subjects of %s: another's is taken, with its lengths of "
                "bones", self.folder, _some(borrowed),
            )  # fmt: skip
        self._note_absent(seen)
        if not seen:
            raise UserError(
                f"{self.folder}: no motion file of a captioned trial; expected files such as "
                f"{next(iter(wanted), '02_01')}.bvh, loose or in an archive; {_HOW}"
            )

    def _note_absent(self, seen: set[str]) -> None:
        self._absent = Counter(
            clip.split for trial, clips in self._by_trial.items() if trial not in seen
            for clip in clips
        )  # fmt: skip
        if self._absent.total():
            trials = sorted(set(self._by_trial) - seen)
            _log.warning(
                "%s: no motion file for %d of %d clips (%d trials: %s)", self.folder,
                self._absent.total(), len(self), len(trials), _some(trials),
            )  # fmt: skip

    @cached_property
    def _words(self) -> list[CmuClip | BadClip]:
        return list(read_words(self.folder))

    @property
    def _bad_words(self) -> list[BadClip]:
        return [clip for clip in self._words if isinstance(clip, BadClip)]

    @cached_property
    def _by_trial(self) -> dict[str, list[CmuClip]]:
        found: dict[str, list[CmuClip]] = {}
        for clip in self._words:
            if isinstance(clip, CmuClip):
                found.setdefault(clip.trial, []).append(clip)
        return found

    def _get(self) -> None:
        if self._repositories is not None:
            fetch_all(self.folder, *self._repositories, self._progress)
        if not self.folder.is_dir():
            raise SourceMissing(f"no folder {self.folder}; {_HOW}")
        try:
            words_files(self.folder)
        except SourceMissing as error:
            raise SourceMissing(f"{error}; {_HOW}") from error


def _some(trials: list[str]) -> str:
    return ", ".join(sorted(trials)[:5]) + (", …" if trials[5:] else "")


def _converted(file: TrialFile | BadClip, clips: list[CmuClip], cut: Cut) -> list[Clip | BadClip]:
    if isinstance(file, BadClip):
        return [BadClip(clip.name, f"{file.name} {file.reason}") for clip in clips]
    return to_clips(file, clips, cut)


_HOW = (
    "run `motiongpt data prepare data=cmu_captioned data.source.download=true` to fetch captions "
    "and motions, or give a folder that has them as data.source.path=FOLDER"
)
