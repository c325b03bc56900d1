"""What is found in a motion: one event a repetition of an action."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Event:
    """One repetition of an action: one kick, one step, one turn.

    Attributes:
        action: its label, as in the synthetic data.
        start, end: frames, `end` exclusive.
        side: left, right or both; None where the action has none.
        degrees: of a turn.
    """

    action: str
    start: int
    end: int
    side: str | None = None
    degrees: float | None = None

    def touches(self, start: int, end: int) -> bool:
        """Whether it has frames in common with those from `start` to `end`, exclusive."""
        return self.start < end and start < self.end


def is_free(span: slice, events: Iterable[Event]) -> bool:
    """Whether no event touches a stretch of frames."""
    return not any(event.touches(span.start, span.stop) for event in events)
