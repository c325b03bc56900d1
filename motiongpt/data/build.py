"""Builds a motion store from a motion source.

Shape letters: B batch, T frames, J joints, F features.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence
from tqdm import tqdm

from motiongpt.data.checks import MIN_FRAMES, clip_problem, sample
from motiongpt.data.clip import BadClip, Clip, MotionSource
from motiongpt.data.replace_folder import replacing_folder
from motiongpt.data.statistics import PublishedStatistics, mean_and_std, weighted_std
from motiongpt.data.store import MotionStore
from motiongpt.data.store_writer import StoreWriter
from motiongpt.errors import UserError
from motiongpt.motion.features import joints_to_features
from motiongpt.motion.skeleton import Skeleton


def build_store(
    source: MotionSource,
    folder: Path | str,
    progress: bool = True,
    *,
    name: str | None = None,
    normalisation: str = "humanml3d",
    min_frames: int = MIN_FRAMES,
    released_turns: bool = False,
    batch: int = 64,
) -> MotionStore:
    """Write every good clip of `source` to a store in `folder`, all of it or nothing.

    Bad clips are left out and named in store.json. The same source gives the same fingerprint
    wherever and whenever it is built.

    Args:
        progress: show a bar, and print the counts at the end.
        name: of the data set; the folder's name if not given.
        normalisation: "humanml3d" (plain) or "motiongpt" (root and contacts emphasised).
        min_frames: fewest feature rows of a clip.
        released_turns: of features that are made here, see `motiongpt.motion.features`.
        batch: clips whose features are computed together.

    Raises:
        UserError: the source's files are missing, no usable training clip, or an unknown
            normalisation.
    """
    folder = Path(folder)
    skeleton = source.skeleton
    weighted_std(np.ones(skeleton.n_features), skeleton, normalisation)
    with replacing_folder(folder) as building:
        with StoreWriter(building, skeleton) as writer:
            for clips in _batches(source, writer, progress, min_frames, batch):
                _add_batch(clips, writer, released_turns)
        writer.drop_bad_names()
        if not writer.count("train"):
            raise UserError(
                f"no usable clip in the train split of {name or folder.name}"
                f"{_reasons(writer.rejected)}; `motiongpt data verify` names every bad file"
            )
        mean, std = _statistics(source, writer)
        header = {
            "name": name or folder.name,
            "fps": float(source.fps),
            "normalisation": normalisation,
            "description": _describe(source),
            "action_words": {label: list(words) for label, words in source.action_words.items()},
        }
        writer.finish(header, mean, weighted_std(std, skeleton, normalisation))
    store = MotionStore.open(folder)
    if progress:
        counts = ", ".join(f"{count:,} {split}" for split, count in store.counts().items())
        rejected = f"{len(store.rejected)} rejected{_reasons(store.rejected)}"
        silent = len(store.without_captions(np.arange(len(store))))
        said = f"; {silent:,} without caption" if silent else ""
        print(f"{store.name}: {counts}; {rejected}{said}", flush=True)
    return store


def _batches(
    source: MotionSource, writer: StoreWriter, progress: bool, min_frames: int, batch: int
) -> Iterator[list[Clip]]:
    """Good clips in batches, in the source's order; the others are rejected."""
    good: list[Clip] = []
    bar = tqdm(source.clips(), total=len(source), unit="clip", disable=not progress)
    for clip in bar:
        if isinstance(clip, BadClip):
            writer.reject(clip.name, clip.reason)
            continue
        problem = clip_problem(clip, source.skeleton, min_frames, source.action_words)
        if problem:
            writer.reject(clip.name, problem)
            continue
        good.append(clip)
        if len(good) == batch:
            yield good
            good = []
    if good:
        yield good


def _add_batch(clips: Sequence[Clip], writer: StoreWriter, released_turns: bool) -> None:
    for clip, features in _with_features(clips, writer, released_turns):
        writer.add(clip, features)


def _with_features(
    clips: Sequence[Clip], writer: StoreWriter, released_turns: bool
) -> list[tuple[Clip, np.ndarray]]:
    """Each clip with its features (T, F) float32; degenerate ones are rejected."""
    try:
        return list(zip(clips, _features(clips, writer.skeleton, released_turns), strict=True))
    except UserError as error:
        if len(clips) == 1:
            writer.reject(clips[0].name, f"degenerate joints: {error}")
            return []
    # one clip spoils its batch: alone, each shows whether it is the one
    return [pair for clip in clips for pair in _with_features([clip], writer, released_turns)]


def _features(clips: Sequence[Clip], skeleton: Skeleton, released_turns: bool) -> list[np.ndarray]:
    """Features (T, F) float32 of each clip: its own, or made of its T + 1 joint frames."""
    given = [clip.joints for clip in clips if clip.joints is not None]
    made: Iterator[np.ndarray] = iter(())
    if given:
        tensors = [torch.from_numpy(np.asarray(joints, np.float32)) for joints in given]
        lengths = torch.tensor([len(joints) for joints in tensors])
        padded = pad_sequence(tensors, batch_first=True)
        rows = joints_to_features(padded, skeleton, lengths, released_turns=released_turns)
        made = (of_clip[: n - 1].numpy() for of_clip, n in zip(rows, lengths, strict=True))
    return [
        next(made) if clip.features is None else np.asarray(clip.features, np.float32)
        for clip in clips
    ]


def _statistics(source: MotionSource, writer: StoreWriter) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(source, PublishedStatistics):
        published = source.published_statistics()
        if published is not None:
            return published
    return mean_and_std(lambda: writer.features("train"), writer.skeleton)


def _describe(source: MotionSource) -> str:
    return str(getattr(source, "description", type(source).__name__))


def _reasons(bad: Sequence[BadClip]) -> str:
    return f": {sample(bad)}" if bad else ""
