"""What tells the stages, and the experiments, of a sweep from one another."""

from collections.abc import Mapping, Sequence

from launch.sweeps.record import Point

Differences = Mapping[tuple[str, str], Mapping[str, str]]
"""(stage, signature) -> option -> its value, or the several that share the stage."""


def overrides_of(point: Point) -> dict[str, str]:
    """Option -> value, of the words that make an experiment."""
    words = [word.partition("=") for word in point.words]
    return {key.lstrip("+~"): value for key, _, value in words}


def axes_of(points: Sequence[Point]) -> list[str]:
    """Options that not all experiments have alike."""
    overrides = [overrides_of(point) for point in points]
    keys = dict.fromkeys(key for one in overrides for key in one)
    return [key for key in keys if len({one.get(key) for one in overrides}) > 1]


def differences(points: Sequence[Point]) -> Differences:
    """Of each stage, what its experiments have and not all others; shared by all: nothing.

    An option is called by the end of its name that no other one has: `learning_rate`.
    """
    axes = axes_of(points)
    short = {axis: _short(axis, axes) for axis in axes}
    values: dict[tuple[str, str], dict[str, dict[str, None]]] = {}
    for point in points:
        overrides = overrides_of(point)
        for stage, signature in point.stages:
            own = values.setdefault((stage, signature), {axis: {} for axis in axes})
            for axis in axes:
                own[axis][overrides.get(axis, "default")] = None
    every = {axis: {overrides_of(point).get(axis, "default") for point in points} for axis in axes}
    return {
        key: {short[axis]: ",".join(some) for axis, some in own.items() if set(some) != every[axis]}
        for key, own in values.items()
    }


def _short(axis: str, axes: Sequence[str]) -> str:
    parts = axis.split(".")
    for count in range(1, len(parts)):
        end = ".".join(parts[-count:])
        if not any(other != axis and f".{other}".endswith(f".{end}") for other in axes):
            return end
    return axis
