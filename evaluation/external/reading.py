"""From a folder of another system's motions to a set of predictions that can be scored.

Everything is read and checked before anything is written, trained or scored.
Shape letters: T frames, F features.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from evaluation.external.captions import request_captions
from evaluation.external.choice import chosen_form, known_forms, spread
from evaluation.external.forms.base import Form, Options, Target
from evaluation.external.layout import Layout, find_files, laid_out, shown
from evaluation.external.lengths import check_lengths
from evaluation.requests.predictions import About, Outputs, PredictionSet
from motiongpt.api.motion_file import MOST_SECONDS
from motiongpt.data.checks import sample
from motiongpt.data.clip import BadClip
from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError
from motiongpt.progress import progress_bar

LOOKED_AT = 32  # files that tell unit, axis, normalisation and body
MANY_FILES = 500  # fewer are read before a bar would be seen


@dataclass(frozen=True)
class External:
    """Motions of another system, found and understood, not yet read.

    Attributes:
        form: that reads them.
        draws: label -> clip -> file; as many of these as replications can use.
        about: what they are predictions of: the clips that are there.
        captions: (clips,) numbers of the captions that asked, of each draw.
        said: what was understood, name -> words.
        stated_fps: whether the user said the frame rate.
    """

    form: Form
    draws: Mapping[str, Mapping[str, Path]]
    about: About
    captions: Mapping[str, Sequence[int]]
    said: Mapping[str, str]
    stated_fps: bool


def understand(
    folder: Path,
    about: About,
    store: MotionStore,
    options: Options,
    form: str | None = None,
    partial: bool = False,
    leave_out: Path | None = None,
) -> External:
    """Find the files, the form that they have, and which of the asked clips they are.

    Args:
        about: what a protocol asks: all clips, a seed for each replication.
        form: name of one; None to find it out.
        partial: score the clips that are there, where some are missing.
        leave_out: a folder below that is not searched.

    Raises:
        UserError: what can't be understood or is missing, in one line.
    """
    forms = known_forms()
    endings = {one.ending for name, one in forms.items() if form in (None, name)}
    files = find_files(folder, endings or {one.ending for one in forms.values()}, leave_out)
    target = Target.of(store)
    reads = chosen_form(files, form, options, target)
    layout = laid_out(folder, files, about.clips, store.names)
    kept = _kept_clips(folder, about, layout, partial)
    draws = {label: layout.draws[label] for label in list(layout.draws)[: len(about.seeds)]}
    used = [files[clip] for files in draws.values() for clip in kept]
    said = reads.look(spread(used, LOOKED_AT))
    captions, asked = request_captions(folder, store, kept, list(draws), about.kind)
    there = [position for position, clip in enumerate(about.clips) if clip in set(kept)]
    mine = replace(
        about,
        clips=kept,
        frames=[about.frames[i] for i in there],
        given=[about.given[i] for i in there],
        seeds=about.seeds[: len(draws)],
    )
    counts = {
        "form": reads.name,
        "clips": f"{len(kept)} of {len(about.clips)} asked about",
        "draws": _draws_said(draws, layout, about),
    }
    if layout.aside:
        counts["left aside"] = f"{len(layout.aside)} files of clips that are not asked about"
    if asked:
        counts["captions"] = asked
    return External(reads, draws, mine, captions, {**counts, **said}, options.fps is not None)


def read_all(external: External, destination: Path) -> str:
    """Read and check every file, write the set of predictions; returns a digest of the motions.

    Raises:
        UserError: files that can't be used, or lengths that are another frame rate's.
    """
    found = hashlib.sha256()
    about, problems = external.about, list[BadClip]()
    saved = PredictionSet.create(destination, about)
    quiet = len(about.clips) * len(external.draws) < MANY_FILES
    with progress_bar(
        total=len(about.clips) * len(external.draws), desc="reading", unit="file", disable=quiet
    ) as bar:
        for number, (label, files) in enumerate(external.draws.items()):
            motions = []
            for clip, motion in _read(external.form, files, about.clips):
                bar.update()
                if isinstance(motion, str):
                    problems.append(BadClip(f"{label}/{clip}" if label else clip, motion))
                    continue
                motions.append(motion)
                found.update(f"{label}/{clip} {len(motion)}".encode())
                found.update(motion.tobytes())
            if problems:
                continue
            if not external.stated_fps:
                check_lengths([len(one) for one in motions], about.frames, external.form.target.fps)
            empty = [""] * len(motions)
            saved.write(number, Outputs(list(external.captions[label]), empty, empty, motions))
    if problems:
        total = len(about.clips) * len(external.draws)
        raise UserError(f"{len(problems)} of {total} files can't be used: {sample(problems, 3)}")
    found.update(repr(sorted(external.captions.items())).encode())
    return found.hexdigest()


def _read(
    form: Form, files: Mapping[str, Path], clips: Sequence[str]
) -> Iterator[tuple[str, np.ndarray | str]]:
    """Clip and its features, or what is wrong with them."""
    most = int(MOST_SECONDS * form.target.fps)
    for clip, found in zip(clips, form.read_many([files[one] for one in clips]), strict=True):
        if isinstance(found, UserError):
            yield clip, str(found)
        elif not np.isfinite(found).all():
            yield clip, "its features are not finite numbers"
        elif len(found) > most:
            yield clip, f"{len(found):,} frames, at most {most:,} are read"
        else:
            yield clip, found


def _kept_clips(folder: Path, about: About, layout: Layout, partial: bool) -> list[str]:
    """Clips that every draw has, in the order of `about`."""
    kept = [clip for clip in about.clips if all(clip in one for one in layout.draws.values())]
    missing = [
        f"{label}/{clip}" if label else clip
        for label, files in layout.draws.items()
        for clip in about.clips
        if clip not in files
    ]
    if missing and not (partial and kept):
        asked = len(about.clips) * len(layout.draws)
        raise UserError(
            f"{folder}: {len(missing)} of {asked} predictions are missing "
            f"({shown(missing)}); add them, or score the clips that are there by --partial"
        )
    if layout.unknown and not partial:
        raise UserError(
            f"{folder}: {len(layout.unknown)} files are called as no clip of the data "
            f"({shown([one.name for one in layout.unknown])}); remove them, or leave them out by "
            "--partial"
        )
    return kept


def _draws_said(draws: Mapping[str, object], layout: Layout, about: About) -> str:
    used, there = len(draws), len(layout.draws)
    replications = len(about.seeds)
    if used < there:
        return f"{there}, the first {used} are used: so many replications has the protocol"
    if used == 1 and replications > 1:
        return f"1: the same motions in all {replications} replications"
    return str(used)
