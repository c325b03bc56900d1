"""Checks a motion source clip by clip and says what it found beside what it should find."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from motiongpt.data.checked_clips import checked_clips
from motiongpt.data.checks import MIN_FRAMES, name_problems
from motiongpt.data.clip import SPLITS, BadClip, MotionSource, warnings_of
from motiongpt.data.counts import as_counted, counted, per_split, unexpected
from motiongpt.data.statistics import published_statistics, weighted_std
from motiongpt.errors import UserError, shortened
from motiongpt.printable import printable
from motiongpt.progress import progress_bar


@dataclass(frozen=True)
class VerifyReport:
    """What `verify_source` found.

    Attributes:
        good: usable clips per split, time-stamped sub-clips among them.
        found: clips per split as the data set counts them: ids in its split lists, else `good`.
        expected: clips per split that the data set is known to have; empty if unknown.
        bad: every bad clip or file.
        silent: names of the usable clips that have no caption.
        refused: why no store can be made at all, where that is not for want of clips.
        warnings: what is odd about clips that can be used.
    """

    good: Mapping[str, int]
    found: Mapping[str, int]
    expected: Mapping[str, int]
    bad: tuple[BadClip, ...] = field(default=())
    silent: tuple[str, ...] = field(default=())
    refused: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether a store can be made of it."""
        return self.good["train"] > 0 and not self.refused

    @property
    def ok(self) -> bool:
        """Nothing bad, odd or without caption, clips to train on, and the counts as expected."""
        found = self.bad or self.silent or self.warnings or self._unexpected()
        return self.usable and not found

    def lines(self) -> list[str]:
        """The report: one line a finding, then one a split, then a verdict."""
        lines = [shortened(printable(f"bad: {bad.name}: {bad.reason}")) for bad in self.bad]
        lines += [f"no caption: {printable(name)}" for name in self.silent]
        lines += [shortened(printable(f"warning: {one}")) for one in self.warnings]
        for split in SPLITS:
            expected = self.expected.get(split)
            beside = "" if expected is None else f", expected {expected:,}"
            mark = "  <- differs" if split in self._unexpected() else ""
            usable = f"usable {self.good[split]:,}"
            lines.append(f"{split:<5} found {self.found[split]:,}{beside}, {usable}{mark}")
        lines.append("all good" if self.ok else self._verdict())
        return lines

    def _unexpected(self) -> list[str]:
        return unexpected(self.found, self.expected)

    def _verdict(self) -> str:
        parts = []
        if self.bad:
            parts.append(f"{len(self.bad):,} bad, left out of the store")
        if self.silent:
            parts.append(
                f"{len(self.silent):,} without caption, in the store for what needs no words"
            )
        if self.warnings:
            parts.append(f"{len(self.warnings):,} warnings")
        if self._unexpected():
            parts.append(f"unexpected count in {', '.join(self._unexpected())}")
        if not self.good["train"]:
            parts.append("no usable clip to train on")
        if self.refused:
            parts.append(f"no store can be made: {self.refused}")
        return "; ".join(parts)


def verify_source(
    source: MotionSource,
    progress: bool = True,
    *,
    normalisation: str = "humanml3d",
    min_frames: int = MIN_FRAMES,
    released_turns: bool = False,
) -> VerifyReport:
    """Do with every clip of `source` what `build_store` does, but write nothing.

    Arguments as there.

    Raises:
        UserError: the source's files are missing altogether, or an unknown normalisation.
    """
    skeleton = source.skeleton
    weighted_std(np.ones(skeleton.n_features), skeleton, normalisation)
    bad: list[BadClip] = []
    names: list[tuple[str, str]] = []
    silent: list[str] = []
    yielded: Counter[str] = Counter()
    bar = progress_bar(source.clips(), total=len(source), unit="clip", disable=not progress)
    for found in checked_clips(
        counted(bar, yielded), source, min_frames=min_frames, released_turns=released_turns
    ):
        if isinstance(found, BadClip):
            bad.append(found)
            continue
        clip, _ = found
        names.append((clip.name, clip.split))
        silent += [] if clip.captions else [clip.name]
    problems = name_problems(names)
    bad.extend(BadClip(name, reason) for name, reason in problems.items())
    return VerifyReport(
        good=per_split(Counter(split for name, split in names if name not in problems)),
        found=as_counted(source, yielded),
        expected=dict(source.expected_counts),
        bad=tuple(bad),
        silent=tuple(name for name in silent if name not in problems),
        refused=_refused(source),
        warnings=warnings_of(source),
    )


def _refused(source: MotionSource) -> str:
    """What is wrong with the statistics that the data set is published with."""
    try:
        published_statistics(source)
    except UserError as error:
        return str(error)
    return ""
