"""Drinking: a hand brings a cup to the mouth."""

from dataclasses import dataclass

import numpy as np

from motiongpt.data.synthetic.action import SIDES, Action, one_of
from motiongpt.data.synthetic.arms import SPEED_JITTER, move_arm, reach_to
from motiongpt.data.synthetic.curves import clock, hold
from motiongpt.data.synthetic.performer import Performer
from motiongpt.data.synthetic.pose import FORWARD, Pose, standing
from motiongpt.data.synthetic.words import Words

PERIOD = 1.5  # seconds a sip takes, from the cup held before the chest back to it
LOW, HIGH = (0.13, 0.02, 0.30), (0.07, 0.24, 0.20)  # wrist from spine3 in metres, at chest, mouth
REST, LIFT = 0.3, 0.6  # seconds


@dataclass(frozen=True)
class DrinkParameters:
    """`count` sips with the hand of `side`."""

    side: str
    period: float
    count: int


class Drink(Action[DrinkParameters]):
    """Parameters told: hand, number of sips."""

    name = "drink"
    words = (r"\bdrink", r"\bsips?\b", r"\bsipping\b")

    def draw(self, rng: np.random.Generator) -> DrinkParameters:
        """Draw parameters."""
        period = PERIOD * rng.uniform(*SPEED_JITTER)
        return DrinkParameters(one_of(rng, SIDES), period, int(rng.integers(1, 3)))

    def perform(
        self, parameters: DrinkParameters, performer: Performer, rng: np.random.Generator
    ) -> Pose:
        """The hand comes up before the chest, goes to the mouth while the head tips back."""
        side, period = SIDES.index(parameters.side), parameters.period
        lift = LIFT * performer.tempo
        start = REST + lift
        end = start + parameters.count * period
        time = clock(end + lift + REST)
        pose = standing(len(time), performer)
        held = hold(time, REST, start, end, end + lift)
        sip = np.zeros(len(time))
        for index in range(parameters.count):
            begin = start + index * period
            sip += hold(
                time, begin, begin + 0.36 * period, begin + 0.64 * period, begin + 0.98 * period
            )
        hand = np.array(LOW) + sip[:, None] * (np.array(HIGH) - LOW) + rng.uniform(-0.01, 0.01, 3)
        move_arm(pose, side, held, 45.0, 15.0, -30.0, 100.0)
        reach_to(pose, side, held, *hand.T)
        pose.head[:, FORWARD] -= np.deg2rad(18.0) * performer.vigour * sip
        return pose

    def phrases(self, parameters: DrinkParameters, words: Words) -> tuple[str, ...]:
        """Hand and number of sips."""
        side = parameters.side
        sips = words.pick("a sip", "one sip") if parameters.count == 1 else words.count(2, "sip")
        cup = words.pick("a cup", "a glass", "a bottle")
        return (
            f"<drink> from {cup} with {{their}} {side} hand",
            f"<take> {sips} from {cup} with {{their}} {side} hand",
            f"<bring> {{their}} {side} hand to {{their}} mouth and <take> {sips}",
            f"<drink> {words.times(parameters.count)} from {cup} held in the {side} hand",
            f"<hold> {cup} in {{their}} {side} hand and <drink> from it",
            f"<use> {{their}} {side} hand to drink from {cup}",
        )
