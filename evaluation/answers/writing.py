"""From clips to saved answers: one batched generation a replication, answers put in place."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from evaluation.answers.asking import Asking, kind_of
from evaluation.answers.predictions import About, Answers
from motiongpt.data.store import MotionStore
from motiongpt.methods.motiongpt.generation.model import MotionLanguageModel
from motiongpt.methods.motiongpt.tasks.base import Task
from motiongpt.methods.motiongpt.tasks.clip_tokens import ClipTokens
from motiongpt.methods.motiongpt.training.language_data import TokenisedClips
from motiongpt.motion.anchor import arrive, root_path


def describe(
    task: Task, clips: TokenisedClips, indices: Sequence[int], asking: Asking, replications: int
) -> About | None:
    """What the answers of a task will be; None where it can be asked of no clip."""
    usable = [clips[i] for i in indices if task.usable(clips[i])]
    if not usable:
        return None
    kind = kind_of(task, usable[0])
    times = replications if asking.varies(kind) else 1
    return About(
        task=task.name,
        kind=kind,
        fingerprint=clips.store.fingerprint,
        clips=[clip.name for clip in usable],
        frames=[_whole_frames(clip) for clip in usable],
        given=[_given(task, clip) for clip in usable],
        seeds=[asking.seed + replication for replication in range(times)],
    )


def describe_samples(about: About, texts: int, samples: int, times: int, seed: int) -> About:
    """Several motions for each of some of the clips of `about`, drawn once."""
    count = min(texts, len(about.clips))
    chosen = sorted(np.random.default_rng(seed).choice(len(about.clips), count, replace=False))
    return replace(
        about,
        kind="samples",
        clips=[about.clips[i] for i in chosen],
        frames=[about.frames[i] for i in chosen],
        given=[about.given[i] for i in chosen],
        seeds=[seed + replication for replication in range(times)],
        samples=samples,
    )


def generate(
    model: MotionLanguageModel,
    task: Task,
    clips: Sequence[ClipTokens],
    about: About,
    asking: Asking,
    replication: int,
    store: MotionStore,
) -> Answers:
    """All answers of one replication.

    Args:
        clips: those of `about`.
    """
    seed = about.seeds[replication]
    draw = np.random.default_rng([seed, 1]) if about.kind == "samples" else None
    captions = asking.captions(clips, about.kind, replication)
    repeated = [
        (clip, caption, place)
        for place, (clip, caption) in enumerate(zip(clips, captions, strict=True))
        for _ in range(about.samples)
    ]
    requests = [asking.request(task, clip, caption, draw) for clip, caption, _ in repeated]
    found = model.answer(requests, asking.decoding(about.kind), seed)
    if about.kind == "text":
        motions = [np.zeros((0, store.n_features), np.float32)] * len(found)
    else:
        motions = model.motions(found)
    places = {name: index for index, name in enumerate(store.names)}
    for number, (clip, _, place) in enumerate(repeated):
        start, end = about.given[place]
        if (start or end) and task.replies.joins:
            reference = store.features(places[clip.name], 0, about.frames[place])
            motions[number] = in_place(motions[number], reference, start, end)
    return Answers(
        captions=[caption for _, caption, _ in repeated],
        prompts=[answer.prompt for answer in found],
        texts=[answer.text for answer in found],
        motions=motions,
    )


def in_place(motion: np.ndarray, reference: np.ndarray, start: int, end: int) -> np.ndarray:
    """Features (T, F) of a completion: given frames as they were given, the rest as written.

    Where the end is given, so is its place: the root's path between is corrected to arrive there.

    Args:
        motion: (T', F) the whole motion as decoded.
        reference: (T, F), of which the first `start` and the last `end` frames were given.
    """
    frames = len(reference)
    last = frames - end
    written = motion[start:last]
    whole = np.concatenate([reference[:start], written, reference[last:] if end else written[:0]])
    if not end or len(whole) != frames or not start:
        return whole
    heading, place = root_path(torch.from_numpy(reference))
    # Row `start - 1` carries the root from the last given frame into the gap: it stays as given.
    fixed = arrive(torch.from_numpy(whole), start, last, heading[last], place[last, 0::2])
    return fixed.numpy()


def _whole_frames(clip: ClipTokens) -> int:
    return clip.frames // clip.frames_per_token * clip.frames_per_token


def _given(task: Task, clip: ClipTokens) -> tuple[int, int]:
    query, rate = task.query(clip), clip.frames_per_token
    start = 0 if query.start is None else len(query.start)
    end = 0 if query.end is None else len(query.end)
    return rate * start, rate * end
