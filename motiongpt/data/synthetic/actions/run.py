"""Running straight ahead."""

from dataclasses import dataclass

import numpy as np

from motiongpt.data.synthetic.action import Action, one_of
from motiongpt.data.synthetic.curves import bump, clock, ramp, smooth
from motiongpt.data.synthetic.gait import (
    Pace,
    follow_feet,
    lean,
    place_feet,
    straight_steps,
    swing_arms,
)
from motiongpt.data.synthetic.performer import Performer
from motiongpt.data.synthetic.pose import ELBOW, FLEX, Pose, standing
from motiongpt.data.synthetic.words import Words

PACES = {"slow": (0.40, 0.86), "normal": (0.36, 1.08), "fast": (0.32, 1.32)}
LEANS = {"slow": 8.0, "normal": 12.0, "fast": 17.0}  # degrees that the trunk leans forward
FLIGHT = 0.035  # metres that the body rises between two steps


@dataclass(frozen=True)
class RunParameters:
    """`count` steps of `pace`, starting with foot `first`."""

    speed: str
    pace: Pace
    count: int
    first: int

    @property
    def distance(self) -> float:
        """Metres travelled."""
        return self.pace.length * (self.count - 1.4)


class Run(Action[RunParameters]):
    """Parameters told: speed, number of steps, distance."""

    name = "run"
    words = (r"\b(?:runs|running|jogs|jogging|sprints|sprinting)\b",)

    def draw(self, rng: np.random.Generator) -> RunParameters:
        """Draw parameters."""
        speed = one_of(rng, tuple(PACES))
        period, length = PACES[speed]
        # a foot is in the air for 1.35 steps: both are for a third of each step
        pace = Pace(period * rng.uniform(0.97, 1.03), length * rng.uniform(0.95, 1.05), swing=1.35)
        return RunParameters(speed, pace, int(rng.integers(6, 11)), int(rng.integers(2)))

    def perform(
        self, parameters: RunParameters, performer: Performer, rng: np.random.Generator
    ) -> Pose:
        """Long steps that overlap, heels that fly up, bent elbows that pump, a lean forward."""
        pace = parameters.pace
        time = clock(pace.seconds(parameters.count))
        pose = standing(len(time), performer)
        steps = straight_steps(
            performer, pace, parameters.count, parameters.first, lift=0.26, ahead=-0.12
        )
        place_feet(pose, time, steps)
        follow_feet(pose, time, steps, performer, pace.smoothing, sway=0.01)
        ending = time[-1] - pace.rest
        running = ramp(time, pace.rest - 0.25, pace.rest + 0.3) - ramp(
            time, ending - 0.3, ending + 0.2
        )
        rise = np.zeros(len(time))
        for step in steps[1:]:
            middle = step.start + 0.175 * pace.period
            rise += bump(time, middle - 0.5 * pace.period, middle + 0.5 * pace.period)
        pose.pelvis[:, 1] += FLIGHT * smooth(rise, 0.03) - 0.05 * running
        swing_arms(pose, 0.62 * performer.vigour)
        pose.arms[:, :, ELBOW] += np.deg2rad(75.0) * running[:, None]
        pose.arms[:, :, FLEX] -= np.deg2rad(8.0) * running[:, None]
        lean(pose, np.deg2rad(LEANS[parameters.speed]) * running)
        return pose

    def phrases(self, parameters: RunParameters, words: Words) -> tuple[str, ...]:
        """Speed with steps or distance."""
        speed = words.speed(parameters.speed)
        steps = words.count(parameters.count, "step")
        distance = words.metres(parameters.distance)
        fast = words.pick("run", "sprint")
        verb = {"slow": "jog", "normal": "run", "fast": fast}[parameters.speed]
        return (
            f"<{verb}> forward {speed}",
            f"<{verb}> {speed} straight ahead for {distance}",
            f"<run> {distance} forward {speed}",
            f"<run> forward {speed}, taking {steps}",
            f"<{verb}> forward for {steps}",
        )
