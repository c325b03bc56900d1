"""Sitting down on a seat as high as a chair's."""

from dataclasses import dataclass

import numpy as np

from motiongpt.data.synthetic.action import SPEEDS, Action, one_of
from motiongpt.data.synthetic.body import ANKLE_HEIGHT, BONE, J
from motiongpt.data.synthetic.curves import bump, clock, ramp
from motiongpt.data.synthetic.gait import lean
from motiongpt.data.synthetic.performer import Performer
from motiongpt.data.synthetic.pose import ELBOW, FLEX, PELVIS_AHEAD, STANDING_HEIGHT, Pose, standing
from motiongpt.data.synthetic.words import Words

SECONDS = {"slow": 1.7, "normal": 1.25, "fast": 0.95}  # to sit down, and to stand up
REST = 0.3
# a seated person's shins are upright and thighs level; hips are below and behind the pelvis
SEAT = ANKLE_HEIGHT + BONE[J["left_ankle"]] + 0.08
BACK = BONE[J["left_knee"]] - 0.03


@dataclass(frozen=True)
class SitParameters:
    """Sits down within `seconds`, stays for `stay` seconds, and stands up again or not."""

    speed: str
    seconds: float
    stay: float
    rises: bool


class Sit(Action[SitParameters]):
    """Parameters told: speed, whether the person stands up again."""

    name = "sit"
    words = (r"\b(?:sits?|sitting)\b", r"\ba seat\b")

    def draw(self, rng: np.random.Generator) -> SitParameters:
        """Draw parameters."""
        speed = one_of(rng, SPEEDS)
        seconds = SECONDS[speed] * rng.uniform(0.95, 1.05)
        return SitParameters(speed, seconds, rng.uniform(0.5, 1.1), bool(rng.random() < 0.5))

    def perform(
        self, parameters: SitParameters, performer: Performer, rng: np.random.Generator
    ) -> Pose:
        """The trunk leans forward on the way and is upright on the seat, hands on the thighs."""
        seated = REST + parameters.seconds
        leaves = seated + parameters.stay
        rises = parameters.rises
        time = clock(max(leaves + (parameters.seconds + REST if rises else 0.2), 2.1))
        pose = standing(len(time), performer)
        down = ramp(time, REST, seated)
        leaned = bump(time, REST - 0.1, seated + 0.25)
        if rises:
            down -= ramp(time, leaves, leaves + parameters.seconds)
            leaned += bump(time, leaves - 0.25, leaves + parameters.seconds + 0.1)
        pose.pelvis[:, 1] -= (STANDING_HEIGHT - SEAT) * down
        pose.pelvis[:, 2] -= (BACK + PELVIS_AHEAD) * down
        lean(pose, np.deg2rad(42.0) * np.minimum(leaned, 1.0))
        pose.arms[:, :, FLEX] += np.deg2rad(28.0) * (down + 0.3 * leaned)[:, None]
        pose.arms[:, :, ELBOW] += np.deg2rad(48.0) * down[:, None]
        return pose

    def phrases(self, parameters: SitParameters, words: Words) -> tuple[str, ...]:
        """Speed, and what follows."""
        speed = words.speed(parameters.speed)
        if parameters.rises:
            return (
                f"<sit> down {speed} and <stand> up again",
                f"<sit> down on a chair {speed} and <get> up again",
                f"<sit> down {speed}, then <rise> to {{their}} feet",
                f"<take> a seat {speed} and <stand> back up",
                f"<sit> for a moment and <stand> up {speed}",
                f"<sit> down and {words.pick('<stand>', '<get>')} back up {speed}",
            )
        return (
            f"<sit> down {speed}",
            f"<sit> down on a chair {speed}",
            f"<take> a seat {speed} and <stay> there",
            f"<sit> down {speed} and <remain> seated",
            f"<sit> down {speed} with {{their}} hands on {{their}} thighs",
            f"<lower> {{their}} body {speed} to sit on a chair",
        )

    def ends_standing(self, parameters: SitParameters) -> bool:
        """Where the person stands up again."""
        return parameters.rises
