"""The clips of a source with their features, or why not: what `prepare` and `verify` both look at.

Shape letters: T frames, F features.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence

from motiongpt.data.checks import MIN_FRAMES, clip_problem
from motiongpt.data.clip import BadClip, Clip, MotionSource
from motiongpt.errors import UserError
from motiongpt.motion.features import joints_to_features
from motiongpt.motion.skeleton import Skeleton

Checked = tuple[Clip, np.ndarray] | BadClip


def checked_clips(
    clips: Iterable[Clip | BadClip],
    source: MotionSource,
    *,
    min_frames: int = MIN_FRAMES,
    released_turns: bool = False,
    batch: int = 64,
) -> Iterator[Checked]:
    """Each of `clips` with its features (T, F) float32, in the source's order, or as a bad clip.

    Args:
        clips: of `source`.
        min_frames: fewest feature rows of a clip.
        released_turns: of features that are made here, see `motiongpt.motion.features`.
        batch: clips whose features are computed together.

    Raises:
        UserError: what `source.clips` raises.
    """
    good: list[Clip] = []
    for clip in clips:
        if isinstance(clip, BadClip):
            yield clip
            continue
        problem = clip_problem(clip, source.skeleton, min_frames, source.action_words)
        if problem:
            yield BadClip(clip.name, problem)
            continue
        good.append(clip)
        if len(good) == batch:
            yield from _with_features(good, source.skeleton, released_turns)
            good = []
    if good:
        yield from _with_features(good, source.skeleton, released_turns)


def _with_features(
    clips: Sequence[Clip], skeleton: Skeleton, released_turns: bool
) -> Iterator[Checked]:
    try:
        found = zip(clips, _features(clips, skeleton, released_turns), strict=True)
    except UserError as error:
        if len(clips) == 1:
            yield BadClip(clips[0].name, f"degenerate joints: {error}")
            return
        # one clip spoils its batch: alone, each shows whether it is the one
        for clip in clips:
            yield from _with_features([clip], skeleton, released_turns)
    else:
        yield from found


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
