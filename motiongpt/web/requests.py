"""One sentence or motion put to several models, each with its output or why there is none."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from motiongpt.api.model import Model
from motiongpt.api.motion import Motion
from motiongpt.api.motiongpt import MotionGPT
from motiongpt.api.understanding import FarFromTraining
from motiongpt.errors import UserError
from motiongpt.methods.base import INBETWEEN, MOTION_TO_TEXT, PREDICTION, TEXT_TO_MOTION

KEPT = 0.25  # of a motion at either end when its middle is filled, as the protocol `ours` has it
TAIL = 4.0  # seconds of a motion that a model sees when it goes on: half of what it trained on


@dataclass(frozen=True)
class PageRequest:
    """What the page asks of each model.

    Attributes:
        task: one of `motiongpt.methods.base`.
        text: what the person does; may be empty where a motion is given.
        seconds: of the motion, of what is added when one goes on; None lets the model end.
        samples: of motion; a description has one.
        motion: that is described, goes on, or whose middle is filled.
    """

    task: str
    text: str = ""
    seconds: float | None = None
    samples: int = 1
    seed: int = 0
    motion: Motion | None = None


@dataclass(frozen=True)
class PageOutput:
    """What one model made of a request.

    Attributes:
        model: its name.
        motions: samples, or none where it describes.
        text: its words about a motion.
        doubts: why the sentence may not have been understood.
        problem: why there is no output; empty where there is one.
    """

    model: str
    motions: tuple[Motion, ...] = ()
    text: str = ""
    doubts: tuple[str, ...] = ()
    problem: str = ""


def output_of(model: Model, name: str, request: PageRequest) -> PageOutput:
    """One model's output; bad input is its `problem`, so that other models still give theirs."""
    try:
        model.check(request.task)
        doubts = tuple(model.doubts(request.text)) if request.text else ()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FarFromTraining)  # they are among the doubts
            if request.task == MOTION_TO_TEXT:
                return PageOutput(name, text=model.motion_to_text(_given(request))[0])
            return PageOutput(name, tuple(_MAKES[request.task](model, request)), doubts=doubts)
    except UserError as error:
        return PageOutput(name, problem=str(error))


def _made(model: Model, request: PageRequest) -> list[Motion]:
    frames = _frames(model, request.seconds)
    return model.text_to_motion(request.text, frames, request.samples, request.seed)


def _gone_on(model: Model, request: PageRequest) -> list[Motion]:
    whole = _given(request).at(model.fps)
    tail = min(whole.frames, round(TAIL * model.fps))
    end = whole[whole.frames - tail :]
    more = _frames(model, request.seconds)
    frames = None if more is None else tail + more
    return [
        _joined(whole[: whole.frames - tail], made) if tail < whole.frames else made
        for seed in _seeds(model, request)
        for made in model.predict(end, frames, request.text or None, seed, **_drawn(model))
    ]


def _joined(earlier: Motion, later: Motion) -> Motion:
    """One motion; the earlier frames were given. `later` stands where `earlier` ended."""
    given = np.concatenate([np.ones(earlier.frames, bool), later.given])
    joints = np.concatenate([earlier.joints, later.joints])
    return Motion(joints, later.fps, later.captions, later.skeleton, given)


def _filled(model: Model, request: PageRequest) -> list[Motion]:
    motion = _given(request).at(model.fps)
    kept = max(1, int(motion.frames * KEPT))
    start, end = motion[:kept], motion[-kept:]
    frames = _frames(model, request.seconds) or motion.frames
    return [
        made
        for seed in _seeds(model, request)
        for made in model.in_between(
            start, end, frames, request.text or None, seed, **_drawn(model)
        )
    ]


_MAKES = {TEXT_TO_MOTION: _made, PREDICTION: _gone_on, INBETWEEN: _filled}


def _given(request: PageRequest) -> Motion:
    if request.motion is None:
        raise UserError("no motion yet: ask for one in words, or upload a file")
    return request.motion


def _frames(model: Model, seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * model.fps)


def _seeds(model: Model, request: PageRequest) -> Sequence[int]:
    """One seed for each sample; one alone where a method's outputs are alike."""
    alike = request.task in model.method.repeatable and not _drawn(model)
    return range(request.seed, request.seed + (1 if alike else request.samples))


def _drawn(model: Model) -> dict[str, Any]:
    """MotionGPT's completions are the likeliest by default; here another seed is another one."""
    if not isinstance(model, MotionGPT):
        return {}
    return {"decoding": model.method.options.motion_decoding}
