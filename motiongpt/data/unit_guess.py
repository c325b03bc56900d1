"""The unit and the up axis of an unknown capture, guessed from a body's legs and its head.

Shape letters: T frames, J joints.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from motiongpt.errors import UserError

# Thigh and shank of HumanML3D's target body; adults are within a fifth of it, children smaller.
LEG = 0.82
# Metres per unit -> its name, and the legs, in metres, that are believed of it. The commonest
# come first, and are believed of children too.
UNITS: Mapping[float, tuple[str, float, float]] = {
    1.0: ("metres", 0.4, 1.2),
    0.01: ("centimetres", 0.4, 1.2),
    0.001: ("millimetres", 0.4, 1.2),
    0.0254: ("inches", 0.6, 1.1),
    0.056444: ("CMU's units, an inch / 0.45", 0.6, 1.1),
}


@dataclass(frozen=True)
class UnitGuess:
    """What was found.

    Attributes:
        metres_per_unit: of the file's lengths.
        unit: its name for people.
        up_axis: "Y" or "Z".
        leg: metres from hip to ankle along the bones, by that unit.
    """

    metres_per_unit: float
    unit: str
    up_axis: str
    leg: float


def guess_units(named: Mapping[str, np.ndarray], file: str) -> UnitGuess:
    """Guess the unit and the axis.

    Args:
        named: target joint -> its positions (T, 3) in the file's units and axes.
        file: stands in complaints.

    Raises:
        UserError: a body without legs, or one that stands along X, or on its head.
    """
    leg = np.median([_leg(named, side) for side in ("left", "right")])
    if not 0 < leg < np.inf:
        raise UserError(f"{file}: the legs have no length; name the joints of the legs by hand")
    scale, unit = _unit(float(leg))
    return UnitGuess(scale, unit, _up_axis(named, file), float(leg) * scale)


def _leg(named: Mapping[str, np.ndarray], side: str) -> float:
    hip, knee, ankle = (named[f"{side}_{part}"] for part in ("hip", "knee", "ankle"))
    ways = np.linalg.norm(hip - knee, axis=-1) + np.linalg.norm(knee - ankle, axis=-1)
    return float(np.median(ways))


def _unit(leg: float) -> tuple[float, str]:
    for scale, (name, shortest, longest) in UNITS.items():
        if shortest <= leg * scale <= longest:
            return scale, name
    return float(f"{LEG / leg:.4g}"), "no known unit: legs are taken to be 0.82 m"


def _up_axis(named: Mapping[str, np.ndarray], file: str) -> str:
    """Along which the head is farthest from the ankles."""
    feet = (named["left_ankle"] + named["right_ankle"]) / 2
    way = np.median(named["head"] - feet, axis=0)
    axis = int(np.abs(way).argmax())
    if axis == 0 or way[axis] < 0:
        sign = "-" if way[axis] < 0 else ""
        raise UserError(
            f"{file}: the head is along {sign}{'XYZ'[axis]} of the feet; a mapping knows Y and Z "
            "up: export with one of them, or name up_axis by hand where the person lies"
        )
    return "XYZ"[axis]
