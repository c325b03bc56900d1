"""Prediction and in-between as people ask for them, in frames and in the world.

Shape letters: T frames, J joints, F features.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from motiongpt.api.completion import Ground, bridged, continued
from motiongpt.api.motion import Motion
from motiongpt.api.writing import Writer
from motiongpt.methods.motiongpt.generation.model import Request
from motiongpt.methods.motiongpt.tasks.clip_tokens import Codes
from motiongpt.methods.motiongpt.tasks.query import Query
from motiongpt.motion.recover import features_to_joints
from motiongpt.motion.skeleton import Skeleton


class Continuation:
    """A motion and how it goes on.

    Args:
        frames: of the whole; None lets the model end.
        text: what happens, may be empty.
        wording: of the prompt, instead of the task's own.
    """

    task = "prediction"

    def __init__(
        self,
        writer: Writer,
        start: Motion,
        frames: int | None,
        text: str = "",
        wording: str | None = None,
    ) -> None:
        self.writer, self.start, self.frames = writer, start, frames
        self.text, self.wording = text, wording
        self.tokens = 0

    def features(self) -> list[np.ndarray]:
        """The last whole tokens of what is given: what is written follows them at once."""
        return [_last_tokens(self.start, self.writer.frames_per_token)]

    def request(self, codes: Sequence[Codes]) -> Request:
        """Ask for what is missing, rounded up to whole tokens."""
        rate, task = self.writer.frames_per_token, self.writer.tasks[self.task]
        self.tokens = len(codes[0])
        frames = None
        if self.frames is not None:
            missing = -(-(self.frames - self.start.frames) // rate)
            frames = rate * (self.tokens + missing)
        query = Query(self.writer.fps, rate, text=self.text, frames=frames, start=codes[0])
        return Request(task, query, tokens=task.reply_tokens(query), wording=self.wording)

    def motion(self, decoded: np.ndarray) -> Motion:
        """Given frames, then what was written."""
        first = self.tokens * self.writer.frames_per_token
        start = self.start.features
        frames = self.frames or len(start) + len(decoded) - first
        whole = continued(start, decoded, first, frames, self.writer.fps, self.writer.skeleton)
        given = np.arange(len(whole)) < len(start)
        return _in_the_world(whole, self.start, given, self.text)


class Bridge:
    """A motion from a start to an end.

    Args:
        frames: of the whole.
        text: what happens between, may be empty.
        wording: of the prompt, instead of the task's own.
    """

    task = "inbetween"

    def __init__(
        self,
        writer: Writer,
        start: Motion,
        end: Motion,
        frames: int,
        text: str = "",
        wording: str | None = None,
    ) -> None:
        self.writer, self.start, self.end, self.frames = writer, start, end, frames
        self.text, self.wording = text, wording
        self.tokens, self.gap = 0, 0

    def features(self) -> list[np.ndarray]:
        """The last whole tokens of the start, the first of the end."""
        rate = self.writer.frames_per_token
        return [_last_tokens(self.start, rate), _first_tokens(self.end, rate)]

    def request(self, codes: Sequence[Codes]) -> Request:
        """Ask for a gap that is rounded up to whole tokens."""
        rate, task = self.writer.frames_per_token, self.writer.tasks[self.task]
        self.tokens = len(codes[0])
        self.gap = -(-(self.frames - self.start.frames - self.end.frames) // rate)
        tokens = self.tokens + self.gap + len(codes[1])
        query = Query(
            self.writer.fps,
            rate,
            text=self.text,
            frames=rate * tokens,
            start=codes[0],
            end=codes[1],
        )
        return Request(task, query, tokens=task.reply_tokens(query), wording=self.wording)

    def motion(self, decoded: np.ndarray) -> Motion:
        """Start, what was written, end, each in its place."""
        rate, skeleton = self.writer.frames_per_token, self.writer.skeleton
        start, end = self.start.features, self.end.features
        first = self.tokens * rate
        arrival = _ground(self.end, skeleton).seen_from(_ground(self.start, skeleton))
        whole = bridged(
            start,
            end,
            decoded,
            first,
            first + self.gap * rate,
            self.frames,
            self.writer.fps,
            skeleton,
            arrival,
        )
        at = np.arange(self.frames)
        given = (at < len(start)) | (at >= self.frames - len(end))
        return _in_the_world(whole, self.start, given, self.text)


def _ground(motion: Motion, skeleton: Skeleton) -> Ground:
    """Where a motion stands, seen from its own features."""
    first = features_to_joints(torch.from_numpy(motion.features[:1]), skeleton).numpy()
    return Ground.between(first[0], motion.joints[0])


def _in_the_world(features: np.ndarray, start: Motion, given: np.ndarray, text: str) -> Motion:
    skeleton = start.skeleton
    joints = features_to_joints(torch.from_numpy(features), skeleton).numpy()
    joints = _ground(start, skeleton).put(joints).astype(np.float32)
    captions = (text,) if text else ()
    return Motion(joints, start.fps, captions, skeleton, given, features)


def _last_tokens(motion: Motion, rate: int) -> np.ndarray:
    """Features of whole tokens up to the last frame; a few frames are held before the first."""
    if motion.frames < rate:
        return _held(motion, rate - motion.frames, 0)
    return motion.features[motion.frames % rate :]


def _first_tokens(motion: Motion, rate: int) -> np.ndarray:
    """Features of whole tokens from the first frame; a few frames are held after the last."""
    if motion.frames < rate:
        return _held(motion, 0, rate - motion.frames)
    return motion.features[: motion.frames // rate * rate]


def _held(motion: Motion, before: int, after: int) -> np.ndarray:
    joints = motion.joints
    longer = np.concatenate(
        [np.repeat(joints[:1], before, 0), joints, np.repeat(joints[-1:], after, 0)]
    )
    return Motion(longer, motion.fps, skeleton=motion.skeleton).features
