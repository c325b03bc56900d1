"""The Bandai-Namco-Research-Motiondataset as a motion source."""

import multiprocessing
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path

from motiongpt.data.bandai_namco.archive import clip_files, content_sha256
from motiongpt.data.bandai_namco.labels import ACTION_WORDS, LABELS
from motiongpt.data.bandai_namco.splits import (
    EXCLUDED,
    EXPECTED_COUNTS,
    NOT_IN_ALL_COPIES,
    SPLITS,
    ClipName,
)
from motiongpt.data.bandai_namco.styles import STYLES
from motiongpt.data.clip import BadClip, Clip, SourceMissing
from motiongpt.data.download import download as fetch_file
from motiongpt.errors import UserError
from motiongpt.motion.resample import checked_fps
from motiongpt.motion.skeleton import HUMANML3D

_DATASETS = (1, 2)
# Files handed to each worker ahead of the one awaited.
_AHEAD = 8


class BandaiNamcoSource:
    """Motion capture with a content and a style in each name; sentences are made of measurements.

    Clips longer than `max_frames` are cut to their first `max_frames`; shorter ones are whole,
    and the store leaves out those below its `min_frames`. The 13 clips of `splits.EXCLUDED`, and
    clips that would give a held-out cell away, are yielded as bad clips.
    """

    skeleton = HUMANML3D
    action_words: Mapping[str, tuple[str, ...]] = ACTION_WORDS

    def __init__(
        self,
        path: str,
        split: str = "hash",
        max_frames: int = 196,
        datasets: Sequence[int] = _DATASETS,
        contents: Sequence[str] | None = None,
        styles: Sequence[str] | None = None,
        limit: int | None = None,
        workers: int = 2,
        download: bool = False,
        repository: str = "",
        url: str = "",
        sha256: str | None = None,
        content_sha256: str | None = None,
        progress: bool = True,
        fps: float = HUMANML3D.fps,
    ) -> None:
        """Note where the files are; nothing is read yet.

        Args:
            path: folder, tar (any compression) or zip archive with the BVH files.
            split: "hash" (by clip) or "held_out_cells" (eight content-style pairs are the test).
            max_frames: most feature rows of a clip at `fps`; HumanML3D's loader has 196 at 20.
            datasets: which of the two sets.
            contents, styles: only these, as written in the file names; all where None.
            limit: only so many clips, the first of the folder or archive.
            workers: processes that read BVH; 0 reads in this one. The content is the same.
            download: fetch the archive to `path` where nothing is there.
            repository: owner/name of the repository that publishes the files.
            url: of its archive.
            sha256: of that archive; not checked where None.
            content_sha256: of the BVH files in it (see `archive.content_sha256`), checked after a
                download, because GitHub does not promise the same archive bytes; None skips it.
            progress: show a bar while downloading.
            fps: frames per second of the clips; files of other rates are resampled.

        Raises:
            UserError: an unknown split, data set, content or style, or a number below its least.
        """
        _check_known("split", [split], SPLITS)
        _check_known("datasets", datasets, _DATASETS)
        _check_known("contents", contents or (), LABELS)
        _check_known("styles", styles or (), STYLES)
        for option, value, least in (
            ("max_frames", max_frames, 1), ("limit", 1 if limit is None else limit, 1),
            ("workers", workers, 0),
        ):  # fmt: skip
            if value < least:
                raise UserError(f"data.source.{option}: {value} is too few; give {least} or more")
        self.path, self.fps = Path(path), checked_fps(fps)
        self.description = f"Bandai-Namco-Research-Motiondataset, split {split}"
        self._split, self._max_frames, self._limit = split, max_frames, limit
        self._datasets = frozenset(datasets)
        self._contents = frozenset(LABELS if contents is None else contents)
        self._styles = frozenset(STYLES if styles is None else styles)
        self._workers, self._fetch, self._progress = workers, download, progress
        self._repository, self._url, self._sha256 = repository, url, sha256
        self._content_sha256 = content_sha256
        self._whole = (
            limit is None
            and self._datasets == frozenset(_DATASETS)
            and self._contents == frozenset(LABELS)
            and self._styles == frozenset(STYLES)
        )

    @property
    def expected_counts(self) -> Mapping[str, int]:
        """Clips per split of the whole set before the store's length filter; empty for a part."""
        return EXPECTED_COUNTS[self._split] if self._whole else {}

    def __len__(self) -> int:
        """How many clips and bad clips the whole set gives; an estimate for a part of it.

        Raises:
            UserError: nothing at `path`, and it may not be fetched.
        """
        self._check_path()
        whole = sum(EXPECTED_COUNTS["hash"].values()) + len(EXCLUDED)
        return whole if self._limit is None else min(whole, self._limit)

    def files(self) -> Mapping[str, Path]:
        """The archive, which is fetched first where that is asked for, or all files of the folder.

        Raises:
            SourceMissing: nothing at `path`.
            UserError: a download that failed.
        """
        self._get()
        if not self.path.is_dir():
            return {"archive": self.path}
        found = (file for file in self.path.rglob("*") if file.suffix in (".bvh", ".zip"))
        return {str(file.relative_to(self.path)): file for file in found if file.is_file()}

    def clips(self) -> Iterator[Clip | BadClip]:
        """Yield the clips in the order of the folder or archive.

        Raises:
            UserError: nothing at `path`, an archive that can't be read, no clip in it, or a
                download that failed.
        """
        self._get()
        found: Counter[str] = Counter()
        for clip in self._converted(clip_files(self.path, self._wanted)):
            found["all"] += 1
            found["good"] += isinstance(clip, Clip)
            yield clip
            if found["good"] == self._limit:
                return
        if not found["all"]:
            raise UserError(
                f"{self.path} holds no BVH file of the data set that the options ask for; a "
                "data.zip that is a Git LFS pointer must be fetched with git lfs pull"
            )

    def _check_path(self) -> None:
        if not self.path.exists() and not self._fetch:
            raise SourceMissing(
                f"no file or folder {self.path}; run `motiongpt data prepare data=bandai_namco "
                f"data.source.download=true` to download {self._repository or 'it'}, or give its "
                "folder or archive as data.source.path=PATH"
            )

    def _get(self) -> None:
        self._check_path()
        if self.path.exists():
            return
        fetch_file(self._url, self.path, self._sha256, self._progress)
        if self._content_sha256:
            self._check_content(self._content_sha256)

    def _check_content(self, expected: str) -> None:
        found = content_sha256(self.path, NOT_IN_ALL_COPIES)
        if found != expected:
            raise UserError(
                f"{self.path}: its BVH files have digest {found}, expected {expected}; delete it "
                "and download again, or set data.source.content_sha256=null for another release"
            )

    def _wanted(self, name: str) -> bool:
        parts = ClipName.parse(name)
        return (
            parts is not None
            and name not in NOT_IN_ALL_COPIES
            and parts.dataset in self._datasets
            and parts.content in self._contents
            and parts.style in self._styles
        )

    def _converted(self, files: Iterable[tuple[str, bytes | BadClip]]) -> Iterator[Clip | BadClip]:
        """The files as clips, in their order, whatever the number of workers."""
        # It measures by scipy, which takes a second to import: plans look at sources too.
        from motiongpt.data.bandai_namco.conversion import to_clip

        if not self._workers:
            for item in self._arguments(files):
                yield item if isinstance(item, BadClip) else to_clip(*item)
            return
        # Spawned, because forking a process in which torch runs threads can hang.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(self._workers, mp_context=context) as pool:
            waiting: deque[Future[Clip | BadClip] | BadClip] = deque()
            try:
                for item in self._arguments(files):
                    waiting.append(
                        item if isinstance(item, BadClip) else pool.submit(to_clip, *item)
                    )
                    if len(waiting) > _AHEAD * self._workers:
                        yield _result(waiting.popleft())
                while waiting:
                    yield _result(waiting.popleft())
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def _arguments(
        self, files: Iterable[tuple[str, bytes | BadClip]]
    ) -> Iterator[tuple[str, bytes, str, int, float] | BadClip]:
        """The arguments of `to_clip` for each file, or why it is none."""
        for name, content in files:
            split = self._split_of(name)
            if isinstance(content, BadClip):
                yield content
            elif isinstance(split, BadClip):
                yield split
            else:
                yield name, content, split, self._max_frames, self.fps

    def _split_of(self, name: str) -> str | BadClip:
        parts = ClipName.parse(name)
        assert parts is not None
        if name in EXCLUDED:
            return BadClip(name, "excluded: a second cut of another clip, or a U-turn too many")
        split = SPLITS[self._split](parts)
        return split or BadClip(name, "excluded: shows a content-style pair that is held out")


def _result(item: Future[Clip | BadClip] | BadClip) -> Clip | BadClip:
    return item if isinstance(item, BadClip) else item.result()


def _check_known(option: str, values: Iterable[object], known: Iterable[object]) -> None:
    known = list(known)
    unknown = [value for value in values if value not in known]
    if unknown:
        choices = ", ".join(map(str, known))
        raise UserError(f"data.source.{option}: unknown {unknown[0]!r}; choose among {choices}")
