"""A radar chart as SVG, for a page that styles it."""

import math
from collections.abc import Sequence
from html import escape

from evaluation.leaderboard.published import Column
from evaluation.leaderboard.radar import AXES, BASELINE, Radar
from evaluation.replications.results import REAL

SIZE = (640, 530)  # units of the drawing, width and height
CENTRE = (320.0, 268.0)
RIM, INNER = 180.0, 36.0  # radius of the best value and of the worst
LABELS = 200.0  # radius at which the axes are named
ARROWS = {"higher": "↑", "lower": "↓ inverted", "real": "→"}
NOTHING = 1e-6  # smaller values on an axis are rounding
COLOURS = 8  # classes line-0 … line-7 of the page


def radar_svg(radar: Radar) -> str:
    """The chart; lines are broken where a value is missing, with a marker at each value."""
    rings = [INNER + share * (RIM - INNER) for share in (0, 0.5, 1)]
    parts = [
        f'<svg class="radar" viewBox="0 0 {SIZE[0]} {SIZE[1]}" role="img" '
        f'aria-label="{escape(_spoken(radar), quote=True)}">',
        *(f'<polygon class="ring" points="{_ring(radius)}"/>' for radius in rings),
        *(_axis(radar, index, axis) for index, axis in enumerate(AXES)),
    ]
    positions = radar.positions()
    for line, series in enumerate(radar.series):
        shares = [positions.get((line, axis.key)) for axis in AXES]
        parts.append(
            f'<g class="{line_class(radar, line)}"><title>{escape(series.label)}</title>'
            f'<path d="{_path(shares)}"/>{_markers(radar, line, shares)}</g>'
        )
    return "\n".join([*parts, "</svg>"])


def line_class(radar: Radar, line: int) -> str:
    """Class of a line: real motion and baselines look the same in every chart."""
    role = radar.series[line].role
    if role in (REAL, BASELINE):
        return f"line line-{role}"
    before = sum(series.role not in (REAL, BASELINE) for series in radar.series[:line])
    return f"line line-{before % COLOURS}"


def number(value: float) -> str:
    """Three digits that matter; what rounding left of nothing is 0."""
    if abs(value) < NOTHING:
        return "0"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"


def _point(index: int, radius: float) -> tuple[float, float]:
    angle = 2 * math.pi * index / len(AXES) - math.pi / 2
    return CENTRE[0] + radius * math.cos(angle), CENTRE[1] + radius * math.sin(angle)


def _ring(radius: float) -> str:
    return " ".join("{:.1f},{:.1f}".format(*_point(index, radius)) for index in range(len(AXES)))


def _radius(share: float) -> float:
    return INNER + share * (RIM - INNER)


def _axis(radar: Radar, index: int, axis: Column) -> str:
    (x1, y1), (x2, y2) = _point(index, INNER), _point(index, RIM)
    x, y = _point(index, LABELS)
    anchor = "middle" if abs(x - CENTRE[0]) < 20 else "start" if x > CENTRE[0] else "end"
    # Three lines of text: above their point at the top, below it at the bottom.
    y += 25 * (y - CENTRE[1]) / LABELS - 13
    ends = radar.ends(axis)
    scale = f"{number(ends[0])} … {number(ends[1])}" if ends else "not measured"
    unit = f" ({axis.unit})" if axis.unit else ""
    texts = ((axis.group, "task"), (f"{axis.title}{unit} {ARROWS[axis.better]}", "axis-title"))
    spans = [
        f'<tspan class="{kind}" x="{x:.1f}" dy="{1.15 if i else 0}em">{escape(text)}</tspan>'
        for i, (text, kind) in enumerate((*texts, (scale, "scale")))
    ]
    return (
        f'<g class="axis{"" if ends else " missing"}">'
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{"".join(spans)}</text></g>'
    )


def _path(shares: Sequence[float | None]) -> str:
    """Line from axis to axis; a missing value leaves out both pieces that touch it."""
    pieces = []
    for index, share in enumerate(shares):
        following = shares[(index + 1) % len(shares)]
        if share is None or following is None:
            continue
        (x1, y1), (x2, y2) = _point(index, _radius(share)), _point(index + 1, _radius(following))
        pieces.append(f"M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}")
    return "".join(pieces)


def _markers(radar: Radar, line: int, shares: Sequence[float | None]) -> str:
    found = []
    for index, (axis, share) in enumerate(zip(AXES, shares, strict=True)):
        if share is None:
            continue
        x, y = _point(index, _radius(share))
        series = radar.series[line]
        said = f"{series.label}: {axis.group} {axis.title} {number(series.values[axis.key])}"
        found.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4"><title>{escape(said)}</title></circle>'
        )
    return "".join(found)


def _spoken(radar: Radar) -> str:
    missing = [f"{axis.group} {axis.title}" for axis in AXES if radar.ends(axis) is None]
    gaps = f"; not measured: {', '.join(missing)}" if missing else ""
    lines = ", ".join(series.label for series in radar.series)
    return f"Radar chart, {radar.title}: {lines}{gaps}"
