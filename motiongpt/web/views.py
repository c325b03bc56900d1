"""What the page shows of a session, and how its clips are called."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from motiongpt.web.requests import PageOutput
from motiongpt.web.sessions import Clip, Session


@dataclass(frozen=True)
class View:
    """What the page shows.

    Attributes:
        messages: of the chat, who and what.
        token: of the turn that is looked at; empty for none.
        clips: names of its motions.
        chosen: index of the one that the next request is about.
        notes: what was understood.
        doubts: why it may not have been.
    """

    messages: list[tuple[str, str]] = field(default_factory=list)
    token: str = ""
    clips: list[str] = field(default_factory=list)
    chosen: int = 0
    notes: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


def view_of(session: Session) -> View:
    """Of the turn that is looked at."""
    turn = session.turn
    messages = [(who, words) for who, words, _ in session.messages]
    if turn is None:
        return View(messages)
    names = [clip.name for clip in turn.clips]
    return View(messages, turn.token, names, turn.chosen, turn.said, turn.doubts)


def clips_of(output: PageOutput, several: bool) -> list[Clip]:
    """Samples, each with a name; the model's is part of it where several were asked."""
    many = len(output.motions) > 1
    return [
        Clip(
            " ".join([output.model] * several + [f"sample {number}"] * many) or "sample 1",
            motion,
        )
        for number, motion in enumerate(output.motions, 1)
    ]


def lengths(clips: Sequence[Clip]) -> str:
    """How many, and how long."""
    seconds = dict.fromkeys(f"{clip.motion.seconds:.1f} s" for clip in clips)
    counted = "1 motion" if len(clips) == 1 else f"{len(clips)} motions"
    return f"{counted}: {', '.join(seconds)}"


def caption(clip: Clip, words: str) -> str:
    """Words under a clip: those that asked for it, or its own."""
    return words or (clip.motion.captions[0] if clip.motion.captions else "")


def file_name(clip: Clip) -> str:
    """Without its ending: letters, digits and dashes alone."""
    said = clip.motion.captions[0] if clip.motion.captions else ""
    words = re.sub(r"[^a-z0-9]+", "-", f"{said} {clip.name}".lower()).strip("-")
    return words[:60].strip("-") or "motion"
