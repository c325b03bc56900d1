"""What a line of a prompt file asks of MotionGPT.

Parts of a motion are encoded alone, so that no token has seen a frame that is not given.
Shape letters: T frames, F features.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from motiongpt.api.demo.lines import DemoLine
from motiongpt.api.model import between_request
from motiongpt.api.motion import Motion
from motiongpt.errors import UserError
from motiongpt.methods.base import MOTION_TO_TEXT, PREDICTION, TEXT_TO_MOTION, Request
from motiongpt.methods.motiongpt.method import MotionGPTMethod, Prompted
from motiongpt.methods.motiongpt.rounding import Format, Rounded
from motiongpt.methods.motiongpt.tasks import templates
from motiongpt.methods.motiongpt.tasks.clip_tokens import Codes
from motiongpt.methods.motiongpt.tasks.views import View

WHOLE = View("all", 0.0, 1.0)
FIRST_FIFTH = View("first fifth", 0.0, 0.2)
REST = View("after the first fifth", 0.2, 1.0)
FIRST_QUARTER, LAST_QUARTER = View("first quarter", 0.0, 0.25), View("last quarter", 0.75, 1.0)


class ShownParts(Rounded):
    """A request whose wording shows parts of the motion beyond those that it is about.

    Args:
        shown: field of the query -> features (T, F) that stand for it.
    """

    def __init__(self, request: Request, format: Format, shown: Mapping[str, np.ndarray]) -> None:
        super().__init__(request, format)
        self.shown = dict(shown)

    def parts(self) -> list[np.ndarray]:
        """Those of the request, then those that are only shown."""
        return [*super().parts(), *self.shown.values()]

    def take(self, codes: Sequence[Codes]) -> None:
        """See `Rounded.take`."""
        own = len(codes) - len(self.shown)
        super().take(codes[:own])
        extra: dict[str, Any] = dict(zip(self.shown, codes[own:], strict=True))
        self.query = replace(self.query, **extra)


@dataclass(frozen=True)
class Ask:
    """One line, ready to be asked.

    Attributes:
        line: as it was understood.
        prompted: for the model.
        given: the motion, or the first part of it that is shown; None where there is none.
        start: what the output continues, with its place in the world; None for a free motion.
    """

    line: DemoLine
    prompted: Prompted
    given: Motion | None = None
    start: Motion | None = field(default=None)


@dataclass(frozen=True)
class _Line:
    """A line with its motion and the model that is asked."""

    method: MotionGPTMethod
    line: DemoLine
    motion: Motion | None
    frames: int | None

    def part(self, view: View) -> Motion:
        if self.motion is None:
            raise UserError(f"{self.line.task} needs a motion; end the line with #PATH.npy")
        first, last = view.frame_range(self.motion.frames, self.method.format.rate)
        return self.motion[first:last]

    def shown(self, *but: str) -> dict[str, np.ndarray]:
        """Query field -> features of the placeholders in the words, but those named."""
        return {
            name: self.part(view).features
            for placeholder, (name, view) in _SHOWN.items()
            if placeholder in self.line.shown and placeholder not in but
        }

    def ask(
        self,
        request: Request,
        shown: Mapping[str, np.ndarray],
        given: Motion | None = None,
        start: Motion | None = None,
    ) -> Ask:
        worded = self.line.shown or (start is None and not self.line.is_caption)
        rounded = ShownParts(request, self.method.format, shown)
        wording = self.line.words if worded else None
        task = self.method.mix[request.task]
        return Ask(self.line, Prompted(rounded, task, wording), given, start)


def make_ask(
    method: MotionGPTMethod, line: DemoLine, motion: Motion | None, frames: int | None
) -> Ask:
    """What a line asks; its motion is not encoded yet.

    Args:
        motion: that of the line, at the model's frame rate; None where it has none.
        frames: of the whole output; None takes the motion's, or lets the model end.

    Raises:
        UserError: the motion is missing, or too short for what is asked.
    """
    rate = method.format.rate
    if motion is not None:
        if motion.frames < rate:
            raise UserError(f"{line.path}: {motion.frames} frames are less than one token")
        # As MotionGPT's demo has it: shares of the motion are shares of its tokens.
        motion = motion[: motion.frames // rate * rate]
    return _MAKERS[line.task](_Line(method, line, motion, frames))


def _move(one: _Line) -> Ask:
    words = one.line.words
    request = Request(words, TEXT_TO_MOTION, words, one.frames)
    return one.ask(request, one.shown(), one.motion)


def _describe(one: _Line) -> Ask:
    if not one.line.shown:
        raise UserError("m2t needs <motion> among its words")
    return one.ask(Request(one.line.words, MOTION_TO_TEXT), one.shown(), one.motion)


def _go_on(one: _Line) -> Ask:
    whole = templates.MOTION in one.line.shown
    start = one.part(WHOLE if whole else FIRST_FIFTH)
    known = None if whole or one.motion is None else one.motion.frames
    frames = one.frames or known
    if frames is not None and frames <= start.frames:
        raise UserError(f"{frames} frames, {start.frames} of them given, leave nothing to predict")
    text = None if one.line.shown else one.line.words
    request = Request(one.line.words, PREDICTION, text, frames, start=start.features)
    return one.ask(request, one.shown(templates.MOTION_GIVEN), start, start)


def _fill(one: _Line) -> Ask:
    start, end = one.part(FIRST_QUARTER), one.part(LAST_QUARTER)
    frames = one.frames or (one.motion.frames if one.motion else 0)
    if frames <= start.frames + end.frames:
        given = start.frames + end.frames
        raise UserError(f"{frames} frames, {given} of them given, leave nothing to fill")
    text = None if one.line.shown else one.line.words
    request = between_request(start, end, frames, text)
    return one.ask(request, one.shown(), one.motion, start)


# The masked motion is made of the request's own start and end.
_SHOWN: Mapping[str, tuple[str, View]] = {
    templates.MOTION: ("motion", WHOLE),
    templates.MOTION_GIVEN: ("start", FIRST_FIFTH),
    templates.MOTION_REST: ("rest", REST),
}
_MAKERS: Mapping[str, Callable[[_Line], Ask]] = {
    "t2m": _move,
    "m2t": _describe,
    "pred": _go_on,
    "inbetween": _fill,
}
