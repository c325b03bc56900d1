"""Actions of the arms found in a motion, each by its side where it has one.

Thresholds lie in the gaps between the actions of the synthetic data; the README has the table.
"""

from collections.abc import Sequence

import numpy as np

from evaluation.metrics.instructions.events import Event, is_free
from evaluation.metrics.instructions.signals import LEFT, RIGHT, SIDES, UP, Signals, excursions

OUT, AHEAD = 0, 2  # of `Signals.arm`
RAISED = 50.0  # degrees: hands that are up; those of a hanging arm are below 35
CLAP_LOW, CLAP_HIGH = 0.18, 0.13  # metres between the wrists: closed 0.06, apart at least 0.25
SIP_LOW, SIP_HIGH = 0.34, 0.27  # metres from wrist to head: at the mouth 0.23, at the chest 0.41
COCKED = -0.08  # metres ahead of the shoulder: a hand behind the head
THROWN = 0.4  # metres ahead of the shoulder
ABOVE = 0.1  # metres above the shoulder
WAVE = 20.0  # degrees that an elbow opens and closes: a wave is 49 or more
BENT = 95.0  # degrees of an elbow that brings a cup to the mouth
GUARD, STRAIGHT = 110.0, 40.0  # degrees of elbows in guard, and at the end of a punch
PUNCH_LOW, PUNCH_HIGH = 0.30, 0.42  # metres of the fist ahead of its shoulder
RAISE_LOW, RAISE_HIGH = 45.0, 75.0  # degrees of a straight arm from straight down
RAISE_ELBOW = 35.0  # degrees


def claps(signals: Signals, others: Sequence[Event]) -> list[Event]:
    """Wrists that come together while both are up.

    Args:
        others: flights, with arms that cross.
    """
    up = signals.arm_raise.min(axis=1) > RAISED
    near = np.where(up, -signals.wrists_apart, -np.inf)
    spans = excursions(near, -CLAP_LOW, -CLAP_HIGH)
    return [Event("clap", s.start, s.stop) for s in spans if is_free(s, others)]


def sips(signals: Signals) -> list[Event]:
    """A hand that goes to the mouth while the other one hangs."""
    found = []
    for side, name in enumerate(SIDES):
        alone = signals.arm_raise[:, 1 - side] < RAISED
        near = np.where(alone, -signals.wrist_to_head[:, side], -np.inf)
        for span in excursions(near, -SIP_LOW, -SIP_HIGH):
            if signals.elbow[span, side].max() > BENT:
                found.append(Event("drink", span.start, span.stop, name))
    return found


def throws(signals: Signals) -> list[Event]:
    """A hand that comes from behind the head to the front at the height of the shoulder."""
    found = []
    for side, name in enumerate(SIDES):
        ahead, up = signals.arm[:, side, AHEAD], signals.arm[:, side, UP]
        behind = np.where(up > ABOVE, -ahead, -1.0)
        for span in excursions(behind, 0.0, -COCKED):
            for stroke in excursions(ahead[span.stop :], 0.0, THROWN)[:1]:
                begun = span.stop + stroke.start
                released = begun + int((ahead[begun:] >= THROWN).argmax())
                if up[begun] > 0.0:
                    found.append(Event("throw", span.start, released + 1, name))
    return found


def waves(signals: Signals, others: Sequence[Event]) -> list[Event]:
    """Elbows that open and close while the hand is above the shoulder, once a wave.

    Args:
        others: claps and throws.
    """
    from scipy.signal import find_peaks  # takes a second that a plan need not wait for

    found = []
    for side, name in enumerate(SIDES):
        up = signals.arm[:, side, UP] > 0.0
        elbow = signals.elbow[:, side]
        closed = find_peaks(elbow, prominence=WAVE)[0]
        opened = find_peaks(-elbow, prominence=WAVE)[0]
        for here in opened:
            before, after = closed[closed < here], closed[closed > here]
            if not (len(before) and len(after) and up[before[-1] : after[0]].all()):
                continue
            span = slice(int(before[-1]), int(after[0]) + 1)
            if is_free(span, others):
                found.append(Event("wave", span.start, span.stop, name))
    return found


def punches(signals: Signals) -> list[Event]:
    """A fist that goes straight ahead while the other one guards the chin."""
    found = []
    for side, name in enumerate(SIDES):
        guarded = signals.elbow[:, 1 - side] > GUARD
        level = np.abs(signals.arm[:, side, UP]) < 0.25
        ahead = np.where(guarded & level, signals.arm[:, side, AHEAD], 0.0)
        for span in excursions(ahead, PUNCH_LOW, PUNCH_HIGH):
            if signals.elbow[span, side].min() < STRAIGHT:
                found.append(Event("punch", span.start, span.stop, name))
    return found


def raises(signals: Signals, others: Sequence[Event]) -> list[Event]:
    """Straight arms that go up and come down: one arm, or both together.

    Args:
        others: all actions that move arms for another reason.
    """
    left, right = (_raised(signals, side, others) for side in (LEFT, RIGHT))
    found = []
    for span in left:
        partners = [one for one in right if one.start < span.stop and span.start < one.stop]
        right = [one for one in right if one not in partners]
        name = "both" if partners else "left"
        found.append(Event("raise_arms", span.start, span.stop, name))
    return found + [Event("raise_arms", span.start, span.stop, "right") for span in right]


def _raised(signals: Signals, side: int, others: Sequence[Event]) -> list[slice]:
    found = []
    for span in excursions(signals.arm_raise[:, side], RAISE_LOW, RAISE_HIGH):
        top = span.start + int(signals.arm_raise[span, side].argmax())
        if signals.elbow[top, side] < RAISE_ELBOW and is_free(span, others):
            found.append(span)
    return found
