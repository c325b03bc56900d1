"""Whether a motion does what a sentence claims: claim by claim, right or wrong."""

from collections.abc import Sequence

import numpy as np

from evaluation.metrics.instructions.claims import Claim
from evaluation.metrics.instructions.events import Event

ASPECTS = ("action", "side", "count", "distance", "angle", "order")

# Captions round distances to half metres, and bodies sway; "about ten meters" is no half metre.
METRES, METRES_SHARE = 0.35, 0.1
DEGREES, DEGREES_SHARE = 20.0, 0.1

Verdicts = dict[str, list[bool]]
"""Aspect -> one verdict for each claim that the sentence makes of it."""


def follows(claims: Sequence[Claim], events: Sequence[Event], joints: np.ndarray) -> Verdicts:
    """Judge a motion by the claims of its sentence.

    "action" is right where the motion shows every action that is claimed and no other one. What
    is claimed of an action that is not shown is wrong. Of a sentence that claims the same action
    twice only the action is judged: which repetition belongs to which claim is not said.

    Args:
        claims: of the sentence, one or two.
        events: of the motion.
        joints: (T, J, 3) metres.
    """
    claimed = [claim.action for claim in claims]
    verdicts: Verdicts = {
        "action": [{event.action for event in events} == set(claimed)],
    }
    if len(set(claimed)) < len(claimed):
        return verdicts
    for claim in claims:
        for aspect, right in _details(claim, events, joints).items():
            verdicts.setdefault(aspect, []).append(right)
    if len(claims) > 1:
        verdicts["order"] = [_in_order(claimed, events)]
    return verdicts


def _details(claim: Claim, events: Sequence[Event], joints: np.ndarray) -> dict[str, bool]:
    own = [event for event in events if event.action == claim.action]
    verdicts = {}
    if claim.side is not None:
        verdicts["side"] = bool(own) and _usual_side(own) == claim.side
    if claim.count is not None:
        verdicts["count"] = _repetitions(own) == claim.count
    if claim.metres is not None:
        bound = max(METRES, METRES_SHARE * claim.metres)
        verdicts["distance"] = (
            bool(own) and abs(_metres(own, events, joints) - claim.metres) <= bound
        )
    if claim.degrees is not None:
        bound = max(DEGREES, DEGREES_SHARE * claim.degrees)
        turned = sum(event.degrees or 0.0 for event in own)
        verdicts["angle"] = bool(own) and abs(turned - claim.degrees) <= bound
    return verdicts


def _usual_side(events: Sequence[Event]) -> str | None:
    """The side that most of them have, the earlier one of equals."""
    sides = [event.side for event in events]
    return max(dict.fromkeys(sides), key=sides.count)


def _repetitions(events: Sequence[Event]) -> int:
    """How often; a sidestep is a foot that steps out and the other one that closes."""
    feet = 2 if events and events[0].action == "sidestep" else 1
    return (len(events) + feet - 1) // feet


def _metres(own: Sequence[Event], events: Sequence[Event], joints: np.ndarray) -> float:
    """Metres of the pelvis on the floor, from the rest before an action to the rest after it.

    A body that lands is still behind its feet: it is measured in the middle of the rest between
    two actions, and at the ends of the motion.
    """
    first, last = min(event.start for event in own), max(event.end for event in own)
    before = [one.end for one in events if one.action != own[0].action and one.end <= first]
    after = [one.start for one in events if one.action != own[0].action and one.start >= last]
    start = (max(before) + first) // 2 if before else 0
    end = (last + min(after)) // 2 if after else len(joints) - 1
    way = joints[min(end, len(joints) - 1), 0] - joints[start, 0]
    return float(np.hypot(way[0], way[2]))


def _in_order(actions: Sequence[str], events: Sequence[Event]) -> bool:
    """Whether the actions are all shown, each in the mean earlier than the next."""
    times = [
        [event.start + event.end for event in events if event.action == action]
        for action in actions
    ]
    if not all(times):
        return False
    means = [float(np.mean(one)) for one in times]
    return all(one < other for one, other in zip(means, means[1:], strict=False))
