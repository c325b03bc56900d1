"""Throwing something overhand with one hand."""

from dataclasses import dataclass

import numpy as np

from motiongpt.data.synthetic.action import SIDES, Action, one_of
from motiongpt.data.synthetic.arms import SPEED_JITTER, move_arm
from motiongpt.data.synthetic.curves import clock, glide, hold, ramp
from motiongpt.data.synthetic.gait import lean
from motiongpt.data.synthetic.performer import Performer
from motiongpt.data.synthetic.pose import TWIST, Pose, outward, standing
from motiongpt.data.synthetic.words import Words

# Seconds of the forward stroke, degrees that the chest is wound up.
FORCES = {"gentle": (0.60, 14.0), "normal": (0.48, 24.0), "hard": (0.39, 34.0)}
REST = 0.3  # seconds
WIND_UP, FOLLOW, LOWER = 0.75, 0.35, 0.7  # seconds


@dataclass(frozen=True)
class ThrowParameters:
    """One throw with the hand of `side`; `stroke` seconds from behind the head to the front."""

    side: str
    force: str
    stroke: float


class Throw(Action[ThrowParameters]):
    """Parameters told: hand, force."""

    name = "throw"
    words = (r"\b(?:throws?|throwing)\b(?!(?: \w+){0,2} punch)", r"\b(?:toss|hurl)")

    def draw(self, rng: np.random.Generator) -> ThrowParameters:
        """Draw parameters."""
        force = one_of(rng, tuple(FORCES))
        return ThrowParameters(
            one_of(rng, SIDES), force, FORCES[force][0] * rng.uniform(*SPEED_JITTER)
        )

    def perform(
        self, parameters: ThrowParameters, performer: Performer, rng: np.random.Generator
    ) -> Pose:
        """The hand goes up behind the head, comes over and ahead, crosses the body, hangs down."""
        side = SIDES.index(parameters.side)
        back = REST + WIND_UP * performer.tempo
        release = back + 0.1 + parameters.stroke
        across = release + FOLLOW * performer.tempo
        end = across + LOWER * performer.tempo
        time = clock(end + REST)
        pose = standing(len(time), performer)
        wound = hold(time, REST, back, back + 0.1, release)
        thrown = glide(time, back + 0.1, release)
        down = ramp(time, release - 0.05, across)
        home = ramp(time, across - 0.05, end)
        rest = pose.arms[0, side].copy()
        move_arm(pose, side, ramp(time, REST, back), 2.0, rng.uniform(86.0, 96.0), 112.0, 96.0)
        move_arm(pose, side, thrown, rng.uniform(98.0, 108.0), 40.0, 60.0, 18.0)
        move_arm(pose, side, down, 42.0, -6.0, -5.0, 25.0)
        move_arm(pose, side, home, *np.rad2deg(rest))
        # the other arm points ahead while the throwing arm winds up
        move_arm(pose, 1 - side, wound, 48.0 * performer.vigour, 14.0, -15.0, 22.0)
        forward = ramp(time, back + 0.05, release) - home
        turn = np.deg2rad(FORCES[parameters.force][1]) * (wound - 0.8 * forward)
        pose.spine[:, TWIST] += outward(side) * 0.7 * turn
        pose.hips[:, TWIST] += outward(side) * 0.3 * turn
        pose.pelvis[:, 2] += 0.04 * forward - 0.03 * wound
        lean(pose, np.deg2rad(14.0) * performer.vigour * forward - np.deg2rad(7.0) * wound)
        return pose

    def phrases(self, parameters: ThrowParameters, words: Words) -> tuple[str, ...]:
        """Hand and force."""
        side = parameters.side
        thing = words.pick("a ball", "something", "an object")
        how = {
            "gentle": words.pick("gently", "softly", "lightly"),
            "normal": "",
            "hard": words.pick("hard", "with force", "powerfully"),
        }[parameters.force]
        return (
            f"<throw> {thing} with {{their}} {side} hand {how}",
            f"<throw> {thing} forward {how} with the {side} hand",
            f"<throw> {thing} overhand with {{their}} {side} arm {how}",
            f"<hurl> {thing} forward with {{their}} {side} hand"
            if parameters.force == "hard"
            else f"<toss> {thing} forward with {{their}} {side} hand",
            f"<reach> back over {{their}} shoulder and <throw> {thing} with the {side} hand {how}",
            f"<use> {{their}} {side} hand to throw {thing} {how}",
            f"<wind> up and <throw> {thing} ahead with {{their}} {side} hand {how}",
        )
