"""All lines of a prompt file in one batched call; a line that can't be asked stops no other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from motiongpt.api.demo.asks import Ask
from motiongpt.api.demo.lines import DemoLine
from motiongpt.api.inputs import as_motions, checked_frames
from motiongpt.api.model import COMPLETION, MOTION, TEXT
from motiongpt.api.motion import Motion
from motiongpt.api.writing import Writer
from motiongpt.errors import UserError
from motiongpt.methods.motiongpt.generation.model import Answer, Request

DECODINGS = {"sampling": MOTION, "greedy": TEXT, "beams": COMPLETION}
OF_TASK = {"t2m": "sampling", "m2t": "greedy", "pred": "beams", "inbetween": "beams"}


@dataclass(frozen=True)
class Outcome:
    """What became of a line.

    Attributes:
        line: as it was understood; None where it was not.
        given: the motion of the line, or the first part of it that was shown.
        prompt: what the model read.
        text: what it wrote, a motion in it as a placeholder.
        motion: the answer as a motion, with what was given in its place; None where it is a
            sentence.
        problem: why there is no answer; empty where there is one.
    """

    line: DemoLine | None = None
    given: Motion | None = None
    prompt: str = ""
    text: str = ""
    motion: Motion | None = None
    problem: str = ""


def answer_lines(
    writer: Writer,
    lines: Sequence[DemoLine | UserError],
    frames: int | None,
    seed: int,
    strategy: str | None = None,
) -> list[Outcome]:
    """Ask all lines at once.

    Args:
        lines: as they were read, or why they could not be.
        frames: length of every motion that is written; None takes that of the line's motion, or
            lets the model end.
        strategy: one of `DECODINGS`; None takes the Python API's where all lines ask the same,
            and draws where they don't.

    Raises:
        UserError: an unknown strategy, or a length that the model can't write at all.
    """
    if strategy is not None and strategy not in DECODINGS:
        raise UserError(f"decoding={strategy}: choose one of {', '.join(DECODINGS)}")
    if frames is not None:
        rate = writer.frames_per_token
        checked_frames(frames, rate, writer.most_tokens * rate, "the length of one token")
    asks = [_asked(writer, line, frames) for line in lines]
    ready = [ask for ask in asks if isinstance(ask, Ask)]
    requests = _requests(writer, ready)
    good = [index for index, one in enumerate(requests) if isinstance(one, Request)]
    asked = [one for one in requests if isinstance(one, Request)]
    chosen = DECODINGS[strategy or _strategy([ready[index].line for index in good])]
    answers = writer.answer(asked, chosen, seed) if asked else []
    decoded = writer.model.motions(answers)
    found = {
        id(ready[index]): _outcome(ready[index], answer, rows)
        for index, answer, rows in zip(good, answers, decoded, strict=True)
    }
    refused = {
        id(ask): Outcome(ask.line, problem=str(one))
        for ask, one in zip(ready, requests, strict=True)
        if isinstance(one, UserError)
    }
    outcomes = found | refused
    return [
        outcomes[id(ask)] if isinstance(ask, Ask) else Outcome(problem=str(ask)) for ask in asks
    ]


def _asked(writer: Writer, line: DemoLine | UserError, frames: int | None) -> Ask | UserError:
    if isinstance(line, UserError):
        return line
    try:
        motion = None
        if line.path is not None:
            (motion,) = as_motions(line.path, writer.skeleton, writer.fps, str(line.path))
        return Ask(writer, line, motion, frames)
    except UserError as error:
        return error


def _requests(writer: Writer, asks: Sequence[Ask]) -> list[Request | UserError]:
    """What each asks, all motion encoded in one call."""
    parts = [ask.features() for ask in asks]
    codes = iter(writer.encode([part for some in parts for part in some]))
    found: list[Request | UserError] = []
    for ask, some in zip(asks, parts, strict=True):
        mine = [next(codes) for _ in some]
        try:
            request = ask.request(mine)
            writer.check_room(request, "the prompt")
            found.append(request)
        except UserError as error:
            found.append(error)
    return found


def _outcome(ask: Ask, answer: Answer, decoded: np.ndarray) -> Outcome:
    vocabulary = ask.writer.tasks.placeholders.vocabulary
    return Outcome(
        line=ask.line,
        given=ask.given,
        prompt=answer.prompt,
        text=vocabulary.without_motion(answer.reply),
        motion=ask.inner.motion(decoded) if len(decoded) else None,
    )


def _strategy(lines: Sequence[DemoLine]) -> str:
    asked = {OF_TASK[line.task] for line in lines}
    return asked.pop() if len(asked) == 1 else "sampling"
