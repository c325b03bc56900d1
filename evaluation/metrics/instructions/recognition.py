"""From joints to the actions that they show: geometry with thresholds, nothing trained.

Each action is looked for by what no other action does. What moves limbs for another reason is
found first and the others leave its frames alone: arms swing in a jump, and nobody raises them.
Frames in a random order hold poses of all actions and are none of them: what no body could do
shows nothing.
"""

import numpy as np

from evaluation.metrics.instructions.arms import claps, punches, raises, sips, throws, waves
from evaluation.metrics.instructions.events import Event, is_free
from evaluation.metrics.instructions.legs import flights, footsteps, kicks, sinkings
from evaluation.metrics.instructions.signals import Signals, excursions

TORN = 200.0  # metres a second squared of a limb: a kicking foot 126, frames in a random order 500
TORN_PART = 0.05  # of the frames, of a motion that shows nothing
FEWEST_FRAMES = 8  # of a motion in which anything is looked for
BOW_LOW, BOW_HIGH = 10.0, 14.0  # degrees of the trunk: a slight bow 17, a run or a hop 12
TURN = 30.0  # degrees: the least turn is 45, hips that swing with a run turn by 20
THERE_AND_BACK = 38.0  # degrees, where no rest before and after steadies the measurement
ENDS = 0.25  # seconds of rest at each end, over which the heading is taken

MEASURED = frozenset(
    {
        *("bow", "clap", "drink", "hop", "jump", "jump_forward", "kick", "lunge", "march"),
        *("punch", "raise_arms", "run", "sidestep", "sit", "squat", "throw", "turn"),
        *("walk", "walk_backward", "wave"),
    }
)
"""Labels of the actions that are recognised."""


def events_of(joints: np.ndarray, fps: float) -> list[Event]:
    """What joints (T, 22, 3), metres, Y up, show; in order of time.

    Nothing in too few frames, or where limbs are elsewhere from one frame to the next.
    """
    if len(joints) < FEWEST_FRAMES:
        return []
    signals = Signals(joints, fps)
    if (signals.acceleration() > TORN).mean() > TORN_PART:
        return []
    flown = flights(signals)
    sunk, dips = sinkings(signals, flown)
    kicked = kicks(signals)
    clapped, thrown, hit = claps(signals, dips), throws(signals), punches(signals)
    waved = waves(signals, [*clapped, *thrown])
    busy = [*dips, *sunk, *kicked, *clapped, *thrown, *hit, *waved]
    found = [
        *(*flown, *sunk, *kicked, *clapped, *thrown, *hit, *waved),
        *sips(signals),
        *raises(signals, busy),
        *footsteps(signals, [*flown, *kicked, *(one for one in sunk if one.action == "lunge")]),
        *_bows(signals, busy),
        *_turns(signals),
    ]
    return sorted(found, key=lambda event: (event.start, event.end))


def _bows(signals: Signals, others: list[Event]) -> list[Event]:
    spans = excursions(signals.bend, BOW_LOW, BOW_HIGH)
    return [Event("bow", s.start, s.stop) for s in spans if is_free(s, others)]


def _turns(signals: Signals) -> list[Event]:
    """One turn from the heading of the first frames to that of the last; or two, there and back."""
    heading = signals.smooth(signals.smooth(np.degrees(signals.heading)))
    rest = max(1, round(ENDS * signals.fps))
    first, last = float(heading[:rest].mean()), float(heading[-rest:].mean())
    if abs(last - first) >= TURN:
        return [_turn(heading, first, last, 0, len(heading))]
    far = int(np.abs(heading - first).argmax())
    if abs(heading[far] - first) < THERE_AND_BACK:
        return []
    turned = float(heading[far])
    return [
        _turn(heading, first, turned, 0, far + 1),
        _turn(heading, turned, last, far, len(heading)),
    ]


def _turn(heading: np.ndarray, before: float, after: float, start: int, end: int) -> Event:
    """The turn between two headings within some frames: from its first tenth to its last."""
    share = (heading[start:end] - before) / (after - before)
    begun = start + int((share > 0.1).argmax())
    done = end - int((share[::-1] < 0.9).argmax())
    side = "left" if after > before else "right"
    return Event("turn", begun, max(done, begun + 1), side, abs(after - before))
