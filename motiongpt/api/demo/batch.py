"""All lines of a prompt file in one batched call; a line that can't be asked stops no other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from motiongpt.api.demo.asks import Ask, make_ask
from motiongpt.api.demo.lines import DemoLine
from motiongpt.api.inputs import as_motions, checked_frames, seed_of
from motiongpt.api.model import completed_motion
from motiongpt.api.motion import Motion
from motiongpt.api.motiongpt import MotionGPT
from motiongpt.errors import UserError
from motiongpt.methods.base import Output
from motiongpt.methods.motiongpt.generation.decoding import Decoding

OF_TASK = {
    "t2m": "motion_decoding",
    "m2t": "text_decoding",
    "pred": "completion_decoding",
    "inbetween": "completion_decoding",
}
STRATEGIES = {
    "sampling": "motion_decoding",
    "greedy": "text_decoding",
    "beams": "completion_decoding",
}


@dataclass(frozen=True)
class Outcome:
    """What became of a line.

    Attributes:
        line: as it was understood; None where it was not.
        given: the motion of the line, or the first part of it that was shown.
        prompt: what the model read.
        text: what it generated, a motion in it as a placeholder.
        motion: the output as a motion, with what was given in its place; None where it is a
            sentence.
        problem: why there is no output; empty where there is one.
    """

    line: DemoLine | None = None
    given: Motion | None = None
    prompt: str = ""
    text: str = ""
    motion: Motion | None = None
    problem: str = ""


def run_lines(
    model: MotionGPT,
    lines: Sequence[DemoLine | UserError],
    frames: int | None,
    seed: int,
    strategy: str | None = None,
) -> list[Outcome]:
    """Ask all lines at once.

    Args:
        lines: as they were read, or why they could not be.
        frames: length of every motion that is generated; None takes that of the line's motion, or
            lets the model end.
        strategy: one of `STRATEGIES`; None takes the Python API's where all lines ask the same,
            and draws where they don't.

    Raises:
        UserError: an unknown strategy, a seed that is none, or a length that the model can't
            generate at all.
    """
    if strategy is not None and strategy not in STRATEGIES:
        raise UserError(f"decoding={strategy}: choose one of {', '.join(STRATEGIES)}")
    seed = seed_of(seed)
    if frames is not None:
        checked_frames(frames, 1, model.method.longest, "a frame")
    asks = [_asked(model, line, frames) for line in lines]
    ready = [ask for ask in asks if isinstance(ask, Ask)]
    model.method.encode([ask.prompted.rounded for ask in ready])
    problems = [_problem(model, ask) for ask in ready]
    good = [ask for ask, problem in zip(ready, problems, strict=True) if problem is None]
    outputs: list[Output] = []
    if good:
        way = _decoding(model, good, strategy)
        outputs = model.method.generate_prompted([ask.prompted for ask in good], seed, way)
    found = {
        id(ask): _outcome(model, ask, output) for ask, output in zip(good, outputs, strict=True)
    }
    for ask, problem in zip(ready, problems, strict=True):
        if problem is not None:
            found[id(ask)] = Outcome(ask.line, problem=problem)
    return [found[id(ask)] if isinstance(ask, Ask) else Outcome(problem=str(ask)) for ask in asks]


def _asked(model: MotionGPT, line: DemoLine | UserError, frames: int | None) -> Ask | UserError:
    if isinstance(line, UserError):
        return line
    try:
        motion = None
        if line.path is not None:
            (motion,) = as_motions(line.path, model.skeleton, model.fps, str(line.path))
        return make_ask(model.method, line, motion, frames)
    except UserError as error:
        return error


def _problem(model: MotionGPT, ask: Ask) -> str | None:
    """Why a line's prompt can't be read, None where it can."""
    try:
        model.method.check_room(ask.prompted, "the prompt")
    except UserError as error:
        return str(error)
    return None


def _outcome(model: MotionGPT, ask: Ask, output: Output) -> Outcome:
    vocabulary = model.method.mix.placeholders.vocabulary
    request, motion = ask.prompted.rounded.request, None
    if output.motion is not None and len(output.motion):
        if ask.start is not None:
            motion = completed_motion(output, request, ask.start)
        else:
            captions = (ask.line.words,)
            motion = Motion.from_features(output.motion, model.fps, captions, model.skeleton)
    return Outcome(
        line=ask.line,
        given=ask.given,
        prompt=output.prompt,
        text=vocabulary.without_motion(output.raw),
        motion=motion,
    )


def _decoding(model: MotionGPT, asks: Sequence[Ask], strategy: str | None) -> Decoding:
    asked = {OF_TASK[ask.line.task] for ask in asks}
    name = asked.pop() if len(asked) == 1 else STRATEGIES["sampling"]
    found: Decoding = getattr(model.method.options, STRATEGIES[strategy] if strategy else name)
    return found
