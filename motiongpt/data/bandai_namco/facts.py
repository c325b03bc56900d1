"""Measurements in English, each only where it is clear-cut; an empty string where it is not."""

from collections.abc import Sequence

from motiongpt.data.bandai_namco.measurements import Measurements

_NUMBERS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve"),
)

# Mean speeds in metres per second below or above which a pace is plainly slow or fast; the
# medians of the set are 1.15 (walk), 0.8 (backward), 2 to 2.7 (run) and 3.2 (dash).
_SLOW_AND_FAST = {
    "walk": (0.8, 1.35),
    "walk-back": (0.6, 0.95),
    "run": (1.8, 2.9),
    "dash": (0.0, 3.5),
}
# Metres by which a wrist is plainly above the head, or within which it is level with a joint.
_ABOVE, _LEVEL = 0.06, 0.06
_FEWEST_SWINGS = 3


def number(count: int) -> str:
    """In letters up to twelve, in digits beyond."""
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)


def metres(distance: float) -> str:
    """ "about two and a half meters": rounded to half metres; empty below one metre."""
    whole, half = divmod(round(2.0 * distance), 2)
    if distance < 1.0:
        return ""
    if half:
        return f"about {number(whole)} and a half meters"
    return f"about {number(whole)} meter" + ("" if whole == 1 else "s")


def seconds(duration: float) -> str:
    """ "about seven seconds", where the duration is near a whole number of two or more."""
    whole = round(duration)
    if whole < 2 or abs(duration - whole) > 0.3:
        return ""
    return f"about {number(whole)} seconds"


def degrees(turn: float) -> str:
    """ "about 90 degrees" for a size between 45 and 135, rounded to fives."""
    size = abs(turn)
    if not 45.0 <= size <= 135.0:
        return ""
    rounded = 90 if abs(size - 90.0) <= 7.5 else 5 * round(size / 5.0)
    return f"about {rounded} degrees"


def pace(kind: str, measured: Measurements) -> str:
    """ "slow" or "fast" where the mean speed is plainly so for this kind of going."""
    slow, fast = _SLOW_AND_FAST[kind]
    if measured.speed < slow:
        return "slow"
    return "fast" if measured.speed > fast else ""


def straight(measured: Measurements) -> bool:
    """Whether the path has no bend to speak of and the body keeps its heading."""
    return abs(measured.turn) < 8.0 and measured.displacement > 0.98 * measured.distance


def steps(measured: Measurements) -> str:
    """ "about eight steps", where there are four or more."""
    return f"about {number(measured.steps)} steps" if measured.steps >= 4 else ""


def height(sides: Sequence[str], measured: Measurements) -> str:
    """Where the highest point of these wrists is: "above head", "head", "shoulder", "low" or ""."""
    head = [measured.wrist_above_head[side] for side in sides]
    shoulder = [measured.wrist_above_shoulder[side] for side in sides]
    if min(head) > _ABOVE:
        return "above head"
    if max(map(abs, head)) < _LEVEL:
        return "head"
    if max(map(abs, shoulder)) < _LEVEL:
        return "shoulder"
    return "low" if max(shoulder) < -0.1 else ""


def swings(sides: Sequence[str], measured: Measurements) -> int:
    """How often the raised hands swing, where every one is counted alike; else 0."""
    counts = [measured.swings[side] or 0 for side in sides]
    if min(counts) < _FEWEST_SWINGS or max(counts) - min(counts) > 1:
        return 0
    return max(counts)


def swing_pace(sides: Sequence[str], measured: Measurements) -> str:
    """ "slow" or "fast" where the hands plainly swing so."""
    per_second = swings(sides, measured) / measured.seconds
    if not per_second:
        return ""
    return "slow" if per_second < 0.75 else "fast" if per_second > 1.5 else ""


def depth(measured: Measurements) -> str:
    """How deep a bow is: "deep", "slight" or ""."""
    return "deep" if measured.bend > 48.0 else "slight" if measured.bend < 28.0 else ""


def full_turns(measured: Measurements) -> int:
    """Whole turns of the body, where their number is plain; else 0."""
    turns = abs(measured.turn) / 360.0
    return round(turns) if abs(turns - round(turns)) < 0.15 else 0
