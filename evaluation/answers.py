"""From tokenised clips to cases: one batched generation for all tasks, answers put in place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from evaluation.case import Case
from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError
from motiongpt.generation.decoding import Decoding
from motiongpt.generation.model import Answer, MotionLanguageModel, Request
from motiongpt.motion.anchor import arrive, root_path
from motiongpt.motion.recover import features_to_joints
from motiongpt.tasks.base import Task
from motiongpt.training.language_data import TokenisedClips

LENGTHS = ("own", "given")
WAYS = ("motion", "completion", "text")


@dataclass(frozen=True)
class Asking:
    """How clips are put to the model.

    Attributes:
        caption: index of the caption that asks for a motion; clips with fewer use their last.
        length: of a motion of which no part is given: "own" (the model ends it) or "given" (that
            of the real clip). Where a part is given, the length is given too.
        decodings: how text, motion, and motion of which a part is given are written; one for
            each of `WAYS`.
        seed: of sampling.
    """

    caption: int
    length: str
    decodings: Mapping[str, Decoding]
    seed: int

    def __post_init__(self) -> None:
        if self.length not in LENGTHS:
            raise UserError(f"protocol.length={self.length}: choose one of {', '.join(LENGTHS)}")


def make_cases(
    model: MotionLanguageModel,
    tasks: Mapping[str, Task],
    clips: TokenisedClips,
    indices: Sequence[int],
    asking: Asking,
) -> dict[str, list[Case]]:
    """Answers of the model to every task for every clip that the task can be asked of."""
    asked = [
        (name, i, _request(task, clips, i, asking))
        for name, task in tasks.items()
        for i in indices
        if task.usable(clips[i])
    ]
    cases: dict[str, list[Case]] = {name: [] for name in tasks}
    for way, decoding in asking.decodings.items():
        chosen = [one for one in asked if way_of(one[2]) == way]
        answers = model.answer([request for _, _, request in chosen], decoding, asking.seed)
        motions = model.motions(answers)
        for (name, i, _), answer, motion in zip(chosen, answers, motions, strict=True):
            cases[name].append(_case(tasks[name], clips, i, answer, motion))
    return cases


def way_of(request: Request) -> str:
    """Which of `WAYS` a request is written in."""
    if request.task.output == "text":
        return "text"
    return "completion" if len(request.task.given(request.asked)) else "motion"


def _request(task: Task, clips: TokenisedClips, index: int, asking: Asking) -> Request:
    clip = clips[index]
    known = asking.length == "given" or len(task.given(clip)) > 0
    caption = None
    if task.output == "motion" and not len(task.given(clip)) and clip.captions:
        caption = clip.captions[min(asking.caption, len(clip.captions) - 1)]
    return Request(task, clip, caption, tokens=task.reply_tokens(clip) if known else None)


def _case(
    task: Task, clips: TokenisedClips, index: int, answer: Answer, motion: np.ndarray
) -> Case:
    store, clip = clips.store, clips[index]
    rate = clip.frames_per_token
    query = task.query(clip)
    start = rate * (0 if query.start is None else len(query.start))
    end = rate * (0 if query.end is None else len(query.end))
    reference = store.features(index)[: clip.tokens * rate]
    given = np.zeros(len(reference), bool)
    given[:start] = True
    given[len(given) - end :] = True
    features = in_place(motion, reference, start, end) if start or end else motion
    return Case(
        name=store.names[index],
        labels=store.labels(index),
        captions=clip.captions,
        prompt=answer.prompt,
        reference=reference,
        reference_joints=joints_of(store, reference),
        given=given,
        text=answer.text,
        features=features,
        joints=joints_of(store, features),
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


def joints_of(store: MotionStore, features: np.ndarray) -> np.ndarray:
    """Joints (T, J, 3) in metres; none for a motion without frames."""
    if not len(features):
        return np.zeros((0, store.skeleton.n_joints, 3), np.float32)
    return features_to_joints(torch.from_numpy(features), store.skeleton).numpy()
