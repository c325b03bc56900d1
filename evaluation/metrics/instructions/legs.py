"""Actions of the legs found in a motion: flights, kicks, what lowers the pelvis, and footsteps.

Thresholds lie in the gaps between the actions of the synthetic data; the README has the table.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.metrics.instructions.events import Event, is_free
from evaluation.metrics.instructions.signals import SIDES, Signals, excursions

# Metres that both toes are in the air: the lowest hop flies 0.10, both feet of a run 0.06.
FLIGHT_LOW, FLIGHT_HIGH = 0.05, 0.08
HOP_LIFT = 0.15  # metres that the free foot is held higher than the other one
LEAP = 0.3  # metres that a jump goes ahead; the shortest forward jump goes 0.55, one up none
KICK_LOW, KICK_HIGH = 20.0, 30.0  # degrees of the leg from the vertical
KICK_TRAVEL = 0.3  # metres between where the foot leaves and comes down: of a run at least 0.43
KICK_LIFT, KICK_STRETCH = 0.12, 0.7  # metres, and how straight: a marching knee is at 0.63
DROP_LOW, DROP_HIGH = 0.08, 0.13  # metres; half a squat sinks 0.20
LUNGE_LENGTH = 0.4  # metres between the ankles, fore and aft
SEAT = 0.31  # metres of the pelvis behind the ankles: deep squats 0.27, seats 0.36
TRAVELS = 0.6  # metres: a pelvis that sinks on such a way is that of somebody who runs
SWING_LOW, SWING_HIGH = 0.025, 0.045  # metres of the toe: the lowest steps lift it by 0.07
STEP = 0.125  # metres of a lifted ankle: a slow first step back 0.14, most turning feet 0.11
TURNED = 12.0  # degrees: a body that turns on the spot puts its feet a little ahead, too
MARCH_LIFT = 0.2  # metres of the toe


def flights(signals: Signals) -> list[Event]:
    """Jumps up, jumps forward, and hops on the leg of a side."""
    found = []
    left, right = signals.lift.T
    for span in excursions(np.minimum(left, right), FLIGHT_LOW, FLIGHT_HIGH):
        higher = float((left - right)[span].mean())
        if abs(higher) > HOP_LIFT:
            found.append(Event("hop", span.start, span.stop, SIDES[int(higher > 0)]))
            continue
        # feet, not the pelvis: it is ahead of them at take-off and behind them at landing
        before, after = max(span.start - 1, 0), min(span.stop, len(signals) - 1)
        way = signals.pair("ankle").mean(axis=1)[[before, after]][:, [0, 2]]
        ahead = float((way[1] - way[0]) @ signals.ahead[before])
        found.append(Event("jump_forward" if ahead > LEAP else "jump", span.start, span.stop))
    return found


def kicks(signals: Signals) -> list[Event]:
    """Nearly straight legs that swing forward and up and come back to where they were, by side."""
    found = []
    for side, name in enumerate(SIDES):
        lift = signals.lift[:, side]
        for free in excursions(lift, SWING_LOW, KICK_LIFT):
            if np.hypot(*_moved(signals, side, free)) > KICK_TRAVEL:
                continue
            angle = np.where(lift > KICK_LIFT, signals.leg_raise[:, side], 0.0)[free]
            for span in excursions(angle, KICK_LOW, KICK_HIGH):
                start, end = free.start + span.start, free.start + span.stop
                stretch = signals.leg_stretch[start:end, side][angle[span] > KICK_HIGH]
                if stretch.max(initial=0.0) > KICK_STRETCH:
                    found.append(Event("kick", start, end, name))
    return found


def sinkings(signals: Signals, flown: Sequence[Event]) -> tuple[list[Event], list[Event]]:
    """Squats, lunges by side and seats; and the flights with the dips before and after them."""
    found, dips = [], list(flown)
    for span in excursions(signals.drop, DROP_LOW, DROP_HIGH):
        # a dip ends on stretched legs shortly before the feet leave the floor
        near = [one for one in flown if one.touches(*_widened(span, one))]
        if near:
            dips += [Event(one.action, span.start, span.stop) for one in near[:1]]
            continue
        last = min(span.stop, len(signals) - 1)
        if np.hypot(*signals.travel(max(span.start - 1, 0), last)) > TRAVELS:
            continue
        middle = span.start + int(signals.drop[span].argmax())
        apart = float(signals.leg[middle, 0, 2] - signals.leg[middle, 1, 2])
        if abs(apart) > LUNGE_LENGTH:
            found.append(Event("lunge", span.start, span.stop, SIDES[int(apart < 0)]))
        elif signals.behind[span].max() > SEAT:
            found.append(Event("sit", span.start, span.stop))
        else:
            found.append(Event("squat", span.start, span.stop))
    return found, dips


def _widened(span: slice, flight: Event) -> tuple[int, int]:
    margin = 2 + (flight.end - flight.start) // 2
    return span.start - margin, span.stop + margin


@dataclass(frozen=True)
class _Swing:
    """A foot in the air: metres that its ankle goes ahead and to the left, degrees that the body
    turns meanwhile."""

    side: int
    span: slice
    ahead: float
    left: float
    lift: float
    turned: float

    @property
    def step(self) -> float:
        """Metres from which it is a step."""
        return STEP if self.turned < TURNED else 2.0 * STEP


def footsteps(signals: Signals, others: Sequence[Event]) -> list[Event]:
    """Steps of walking, running, walking backward, stepping sideways and marching.

    Args:
        others: kicks, lunges and flights, whose feet take no steps.
    """
    swings = [one for one in _swings(signals) if is_free(one.span, others)]
    ahead = [one for one in swings if one.ahead > one.step and one.ahead >= abs(one.left)]
    found = []
    for row in _rows(ahead, signals.fps):
        flown = sum(_flies(one, row) for one in row)
        gait = "run" if 2 * flown > len(row) else "walk"
        found += [Event(gait, one.span.start, one.span.stop, SIDES[one.side]) for one in row]
    for one in swings:
        action: str | None = None
        side = SIDES[one.side]
        if abs(one.left) > max(one.step, abs(one.ahead)):
            action, side = "sidestep", SIDES[int(one.left < 0)]
        elif -one.ahead > one.step:
            action = "walk_backward"
        elif one.lift > MARCH_LIFT and abs(one.ahead) < one.step:
            action = "march"
        if action is not None:
            found.append(Event(action, one.span.start, one.span.stop, side))
    return found


def _swings(signals: Signals) -> Iterator[_Swing]:
    for side in range(len(SIDES)):
        lift = signals.lift[:, side]
        for span in excursions(lift, SWING_LOW, SWING_HIGH):
            turned = np.degrees(np.ptp(signals.heading[span]))
            yield _Swing(
                side, span, *_moved(signals, side, span), float(lift[span].max()), float(turned)
            )


def _moved(signals: Signals, side: int, span: slice) -> tuple[float, float]:
    """Metres that an ankle goes ahead and to the left while the foot is in the air."""
    start, end = max(span.start - 1, 0), min(span.stop, len(signals) - 1)
    ankle = signals.pair("ankle")[:, side][:, [0, 2]]
    moved = ankle[end] - ankle[start]
    return float(moved @ signals.ahead[start]), float(moved @ signals.aside[start])


def _rows(swings: Sequence[_Swing], fps: float) -> Iterator[list[_Swing]]:
    """Swings that follow each other without a rest of half a second."""
    row: list[_Swing] = []
    for one in sorted(swings, key=lambda one: one.span.start):
        if row and one.span.start - max(last.span.stop for last in row) > 0.5 * fps:
            yield row
            row = []
        row.append(one)
    if row:
        yield row


def _flies(swing: _Swing, row: Sequence[_Swing]) -> bool:
    """Whether the other foot is in the air for a tenth of a foot's swing: so is one who runs."""
    own = swing.span
    shared = sum(
        max(0, min(own.stop, one.span.stop) - max(own.start, one.span.start))
        for one in row
        if one.side != swing.side
    )
    return shared > 0.1 * (own.stop - own.start)
