"""Jumps: a body that dips, pushes off, flies as a thrown stone does, and lands in a dip."""

from dataclasses import dataclass

import numpy as np

from motiongpt.data.synthetic.curves import hermite, hold, through

GRAVITY = 9.81  # metres per second squared
RISE = 0.05  # metres that the pelvis stands higher on straight legs and raised heels
DOWN = 0.38  # seconds into the first dip, and out of the last one
HEELS_UP = np.deg2rad(42.0)


@dataclass(frozen=True)
class Flights:
    """Equal flights one after the other; heights in metres, times in seconds.

    Attributes:
        start: when the first dip begins.
        count: how many flights.
        height: how high the body flies.
        dip: how deep the pelvis sinks before and after each flight.
    """

    start: float
    count: int
    height: float
    dip: float

    @property
    def speed(self) -> float:
        """Metres per second upward when the feet leave the floor."""
        return float(np.sqrt(2.0 * GRAVITY * self.height))

    @property
    def air(self) -> float:
        """Seconds of one flight."""
        return 2.0 * self.speed / GRAVITY

    @property
    def push(self) -> float:
        """Seconds from the dip to the flight at constant force, and from the flight to the dip."""
        return 2.0 * (self.dip + RISE) / self.speed

    @property
    def takeoffs(self) -> list[float]:
        """When each flight begins."""
        period = 2.0 * self.push + self.air
        return [self.start + DOWN + self.push + index * period for index in range(self.count)]

    @property
    def end(self) -> float:
        """When the body stands again."""
        return self.takeoffs[-1] + self.air + self.push + DOWN

    def pelvis(self, time: np.ndarray) -> np.ndarray:
        """(T,) metres above the standing height; a parabola while in the air."""
        times, values, slopes = [self.start, self.start + DOWN], [0.0, -self.dip], [0.0, 0.0]
        for takeoff in self.takeoffs:
            landing = takeoff + self.air
            times += [takeoff, landing, landing + self.push]
            values += [RISE, RISE, -self.dip]
            slopes += [self.speed, -self.speed, 0.0]
        return hermite(time, [*times, self.end], [*values, 0.0], [*slopes, 0.0])

    def lift(self, time: np.ndarray) -> np.ndarray:
        """(T,) metres of the soles above the floor: the same parabolas, 0 on the floor."""
        height = np.zeros(len(time))
        for takeoff in self.takeoffs:
            since = np.clip(time - takeoff, 0.0, self.air)
            height += self.speed * since - 0.5 * GRAVITY * since**2
        return height

    def airborne(self, time: np.ndarray) -> np.ndarray:
        """(T,) 0 in the dips, 1 at the top of each flight."""
        return sum(
            (
                hold(
                    time,
                    takeoff - self.push,
                    takeoff + 0.45 * self.air,
                    takeoff + 0.55 * self.air,
                    takeoff + self.air + self.push,
                )
                for takeoff in self.takeoffs
            ),
            np.zeros(len(time)),
        )

    def dipped(self, time: np.ndarray) -> np.ndarray:
        """(T,) 1 in the deepest dips, 0 at rest and during each flight."""
        return np.clip(-self.pelvis(time) / self.dip, 0.0, 1.0)

    def heels(self, time: np.ndarray, landing: float = 0.6) -> np.ndarray:
        """(T,) foot pitch: heels rise before each flight, and are on the floor after it.

        `landing` is the part of the full pitch with which the feet touch the floor.
        """
        pitch = np.zeros(len(time))
        for takeoff in self.takeoffs:
            end = takeoff + self.air
            times = [takeoff - 0.5 * self.push, takeoff, end, end + 0.12]
            pitch += through(time, times, [0.0, HEELS_UP, landing * HEELS_UP, 0.0])
        return pitch


__all__ = ["Flights"]
