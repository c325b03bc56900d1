"""Where a motion stands in the world: a turn about the vertical, then a shift.

Shape letters: J joints.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Ground:
    """Where a motion stands: a turn about the vertical, then a shift, takes features' joints there.

    Attributes:
        angle: radians, from +Z towards +X.
        shift: (3,) metres.
    """

    angle: float
    shift: np.ndarray

    @classmethod
    def between(cls, source: np.ndarray, target: np.ndarray) -> "Ground":
        """What takes a pose (J, 3) as near as can be to another; the lowest joints share a height.

        The roots are put over each other, because a motion goes on from its root.
        """
        a, b = source - source[:1], target - target[:1]
        sine = float((a[:, 2] * b[:, 0] - a[:, 0] * b[:, 2]).sum())
        cosine = float((a[:, 0] * b[:, 0] + a[:, 2] * b[:, 2]).sum())
        turned = cls(float(np.arctan2(sine, cosine)), np.zeros(3))
        shift = target[0] - turned.put(source)[0]
        shift[1] = target[:, 1].min() - source[:, 1].min()
        return cls(turned.angle, shift)

    def seen_from(self, other: "Ground") -> "Ground":
        """The same position for somebody who stands at `other`."""
        back = Ground(-other.angle, np.zeros(3))
        return Ground(self.angle - other.angle, back.put(self.shift - other.shift))

    def put(self, joints: np.ndarray) -> np.ndarray:
        """Joints (..., 3) turned and shifted."""
        c, s = np.cos(self.angle), np.sin(self.angle)
        turn = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
        return np.asarray(joints @ turn.T + self.shift)
