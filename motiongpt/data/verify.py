"""Checks a motion source clip by clip and says what it found beside what it should find."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from tqdm import tqdm

from motiongpt.data.checks import MIN_FRAMES, clip_problem, name_problems
from motiongpt.data.clip import SPLITS, BadClip, MotionSource
from motiongpt.errors import shortened
from motiongpt.printable import printable


@runtime_checkable
class ListsClips(Protocol):
    """A source with split lists, whose counts are the ones a data set is known by."""

    def listed_counts(self) -> Mapping[str, int]:
        """Ids in each split's list."""
        ...


@dataclass(frozen=True)
class VerifyReport:
    """What `verify_source` found.

    Attributes:
        good: usable clips per split, time-stamped sub-clips among them.
        found: clips per split as the data set counts them: ids in its split lists, else `good`.
        expected: clips per split that the data set is known to have; empty if unknown.
        bad: every bad clip or file.
        silent: names of the usable clips that have no caption.
    """

    good: Mapping[str, int]
    found: Mapping[str, int]
    expected: Mapping[str, int]
    bad: tuple[BadClip, ...] = field(default=())
    silent: tuple[str, ...] = field(default=())

    @property
    def ok(self) -> bool:
        """Nothing bad or without caption, clips to train on, and the counts are as expected."""
        return (
            not self.bad and not self.silent and self.good["train"] > 0 and not self._unexpected()
        )

    def lines(self) -> list[str]:
        """The report: one line a finding, then one a split, then a verdict."""
        lines = [shortened(printable(f"bad: {bad.name}: {bad.reason}")) for bad in self.bad]
        lines += [f"no caption: {name}" for name in self.silent]
        for split in SPLITS:
            expected = self.expected.get(split)
            beside = "" if expected is None else f", expected {expected:,}"
            mark = "  <- differs" if split in self._unexpected() else ""
            usable = f"usable {self.good[split]:,}"
            lines.append(f"{split:<5} found {self.found[split]:,}{beside}, {usable}{mark}")
        lines.append("all good" if self.ok else self._verdict())
        return lines

    def _unexpected(self) -> list[str]:
        return [split for split, count in self.expected.items() if self.found[split] != count]

    def _verdict(self) -> str:
        parts = []
        if self.bad:
            parts.append(f"{len(self.bad):,} bad, left out of the store")
        if self.silent:
            parts.append(
                f"{len(self.silent):,} without caption, in the store for what needs no words"
            )
        if self._unexpected():
            parts.append(f"unexpected count in {', '.join(self._unexpected())}")
        if not self.good["train"]:
            parts.append("no usable clip to train on")
        return "; ".join(parts)


def verify_source(
    source: MotionSource, progress: bool = True, min_frames: int = MIN_FRAMES
) -> VerifyReport:
    """Read every clip of `source` and apply the checks that a store applies.

    Raises:
        UserError: the source's files are missing altogether.
    """
    bad: list[BadClip] = []
    names: list[tuple[str, str]] = []
    silent: list[str] = []
    for clip in tqdm(source.clips(), total=len(source), unit="clip", disable=not progress):
        if isinstance(clip, BadClip):
            bad.append(clip)
            continue
        problem = clip_problem(clip, source.skeleton, min_frames, source.action_words)
        if problem:
            bad.append(BadClip(clip.name, problem))
        else:
            names.append((clip.name, clip.split))
            silent += [] if clip.captions else [clip.name]
    problems = name_problems(names)
    bad.extend(BadClip(name, reason) for name, reason in problems.items())
    good = _per_split(Counter(split for name, split in names if name not in problems))
    found = _per_split(source.listed_counts()) if isinstance(source, ListsClips) else good
    kept = tuple(name for name in silent if name not in problems)
    return VerifyReport(good, found, dict(source.expected_counts), tuple(bad), kept)


def _per_split(counts: Mapping[str, int]) -> dict[str, int]:
    return {split: counts.get(split, 0) for split in SPLITS}
