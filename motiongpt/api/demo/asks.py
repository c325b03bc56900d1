"""What a line of a prompt file asks of the model, and what its answer becomes.

Parts of a motion are encoded alone, so that no token has seen a frame that is not given.
Shape letters: T frames, F features.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from motiongpt.api.completing import Bridge, Continuation
from motiongpt.api.demo.lines import DemoLine
from motiongpt.api.motion import Motion
from motiongpt.api.writing import Writer
from motiongpt.errors import UserError
from motiongpt.methods.motiongpt.generation.model import Request
from motiongpt.methods.motiongpt.tasks import templates
from motiongpt.methods.motiongpt.tasks.clip_tokens import Codes
from motiongpt.methods.motiongpt.tasks.query import Query
from motiongpt.methods.motiongpt.tasks.views import View

WHOLE = View("all", 0.0, 1.0)
FIRST_FIFTH = View("first fifth", 0.0, 0.2)
REST = View("after the first fifth", 0.2, 1.0)
FIRST_QUARTER, LAST_QUARTER = View("first quarter", 0.0, 0.25), View("last quarter", 0.75, 1.0)


class Plain:
    """An answer that stands for itself, a motion or a sentence."""

    def __init__(self, writer: Writer, task: str, line: DemoLine, frames: int | None) -> None:
        self.writer, self.task, self.text, self.frames = writer, task, line.words, frames
        self.wording: str | None = None

    def features(self) -> list[np.ndarray]:
        """No part of it is given."""
        return []

    def request(self, codes: Sequence[Codes]) -> Request:
        """Ask with the wording, or with the task's own where there is none."""
        rate, task = self.writer.frames_per_token, self.writer.tasks[self.task]
        frames = None if self.frames is None else -(-self.frames // rate) * rate
        query = Query(self.writer.fps, rate, text=self.text, frames=frames)
        return Request(task, query, tokens=task.reply_tokens(query), wording=self.wording)

    def motion(self, decoded: np.ndarray) -> Motion:
        """All that was written, cut at the length that was asked for."""
        rows, captions = decoded[: self.frames], (self.text,)
        return Motion.from_features(rows, self.writer.fps, captions, self.writer.skeleton)


class Ask:
    """One line, ready to be asked.

    Args:
        motion: that of the line, at the model's frame rate; None where it has none.
        frames: of the whole answer; None takes the motion's, or lets the model end.

    Attributes:
        given: the motion, or the first part of it that is shown; None where there is none.

    Raises:
        UserError: the motion is missing, or too short for what is asked.
    """

    def __init__(
        self, writer: Writer, line: DemoLine, motion: Motion | None, frames: int | None
    ) -> None:
        self.writer, self.line, self.frames = writer, line, frames
        if motion is not None:
            if motion.frames < writer.frames_per_token:
                raise UserError(f"{line.path}: {motion.frames} frames are less than one token")
            motion = motion[: motion.frames // writer.frames_per_token * writer.frames_per_token]
        self.motion, self.given = motion, motion
        self.shown = [(name, self._parts(name)) for name in line.shown]
        self.inner = _MAKERS[line.task](self)

    def features(self) -> list[np.ndarray]:
        """Parts that the words show, then those that the answer is joined to."""
        shown = [part.features for _, parts in self.shown for part in parts]
        return [*shown, *self.inner.features()]

    def request(self, codes: Sequence[Codes]) -> Request:
        """What the model reads: the line's words, with the motion in its places."""
        rest, words = list(codes), self.line.words
        for placeholder, parts in self.shown:
            mine, rest = rest[: len(parts)], rest[len(parts) :]
            words = words.replace(placeholder, self._written(mine))
        if self.shown or not self.speaks_for_itself:
            self.inner.wording = words
        return self.inner.request(rest)

    @property
    def speaks_for_itself(self) -> bool:
        """Whether the words say what happens, and the task has its own way to ask for it."""
        return self.line.is_caption or not isinstance(self.inner, Plain)

    def part(self, view: View) -> Motion:
        """Some of the motion's frames.

        Raises:
            UserError: the line has no motion.
        """
        if self.motion is None:
            raise UserError(f"{self.line.task} needs a motion; end the line with #PATH.npy")
        first, last = view.frame_range(self.motion.frames, self.writer.frames_per_token)
        return self.motion[first:last]

    def _parts(self, placeholder: str) -> list[Motion]:
        return [self.part(view) for view in _VIEWS[placeholder]]

    def _written(self, parts: Sequence[Codes]) -> str:
        placeholders = self.writer.tasks.placeholders
        if len(parts) == 1:
            return placeholders.vocabulary.write(parts[0])
        head, tail = parts
        frames = self.frames or (self.motion.frames if self.motion else 0)
        tokens = -(-frames // self.writer.frames_per_token)
        return placeholders.masked(head, tokens - len(head) - len(tail), tail)


def _move(ask: Ask) -> Plain:
    return Plain(ask.writer, "text_to_motion", ask.line, ask.frames)


def _describe(ask: Ask) -> Plain:
    if not ask.shown:
        raise UserError("m2t needs <motion> among its words")
    return Plain(ask.writer, "motion_to_text", ask.line, None)


def _go_on(ask: Ask) -> Continuation:
    whole = any(name == templates.MOTION for name, _ in ask.shown)
    start = ask.given = ask.part(WHOLE if whole else FIRST_FIFTH)
    known = None if whole or ask.motion is None else ask.motion.frames
    frames = ask.frames or known
    if frames is not None and frames <= start.frames:
        raise UserError(f"{frames} frames, {start.frames} of them given, leave nothing to predict")
    return Continuation(ask.writer, start, frames, "" if ask.shown else ask.line.words)


def _fill(ask: Ask) -> Bridge:
    start, end = ask.part(FIRST_QUARTER), ask.part(LAST_QUARTER)
    frames = ask.frames or (ask.motion.frames if ask.motion else 0)
    if frames <= start.frames + end.frames:
        given = start.frames + end.frames
        raise UserError(f"{frames} frames, {given} of them given, leave nothing to fill")
    return Bridge(ask.writer, start, end, frames, "" if ask.shown else ask.line.words)


_VIEWS: Mapping[str, tuple[View, ...]] = {
    templates.MOTION: (WHOLE,),
    templates.MOTION_GIVEN: (FIRST_FIFTH,),
    templates.MOTION_REST: (REST,),
    templates.MOTION_MASKED: (FIRST_QUARTER, LAST_QUARTER),
}
_MAKERS: Mapping[str, Callable[[Ask], Plain | Continuation | Bridge]] = {
    "t2m": _move,
    "m2t": _describe,
    "pred": _go_on,
    "inbetween": _fill,
}
