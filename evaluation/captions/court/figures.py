"""Positions of the page's drawings: intervals of scores by protocol, of reversed differences."""

from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.captions.court.findings import Reversal, Score
from evaluation.captions.court.results import Court
from evaluation.captions.court.tables import TITLES, mark

WIDTH, LEFT, RIGHT = 760, 190, 24  # units of a drawing; the names of protocols stand on the left
LINE, GAP, TOP, BOTTOM = 20, 14, 14, 30  # heights: of a system, between protocols, above, below
TICKS = 5
COLOURS = 8  # classes c0 … c7 of the page
SMALL = (220, 40)  # of a reversal's drawing


@dataclass(frozen=True)
class Mark:
    """One system's score: its line from `low` to `high` with a point at `value`, at height `y`."""

    y: float
    low: float
    value: float
    high: float
    colour: str
    title: str
    best: str


@dataclass(frozen=True)
class Band:
    """One protocol: its name at height `y`, and its systems."""

    name: str
    y: float
    line: float
    marks: Sequence[Mark]


@dataclass(frozen=True)
class Figure:
    """One metric under all protocols, on one scale."""

    title: str
    height: float
    bands: Sequence[Band]
    ticks: Sequence[tuple[float, str]]


def figures(court: Court) -> list[Figure]:
    """One figure a metric."""
    found = court.findings.scores
    return [
        _figure(metric, [one for one in found if one.metric == metric], court)
        for metric in dict.fromkeys(one.metric for one in found)
    ]


def colour(court: Court, system: str) -> str:
    """Class of a system, the same in every figure."""
    names = [one["name"] for one in court.systems]
    return f"c{names.index(system) % COLOURS}"


def _figure(metric: str, scores: Sequence[Score], court: Court) -> Figure:
    start, end = _scale([one.low for one in scores], [one.high for one in scores])

    def x(value: float) -> float:
        share = (value - start) / (end - start)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    y, bands = float(TOP), []
    for protocol in dict.fromkeys(one.protocol for one in scores):
        members = [one for one in scores if one.protocol == protocol]
        marks = [
            Mark(
                y + LINE * (index + 0.5),
                x(one.low),
                x(one.value),
                x(one.high),
                colour(court, one.system),
                f"{one.system}, {protocol}: {one.value:.4f} [{one.low:.4f}, {one.high:.4f}]",
                mark(one, court).strip(),
            )
            for index, one in enumerate(members)
        ]
        height = LINE * len(members)
        bands.append(Band(protocol, y + height / 2, y + height + GAP / 2, marks))
        y += height + GAP
    steps = [start + (end - start) * step / (TICKS - 1) for step in range(TICKS)]
    ticks = [(x(value), f"{value:.3g}") for value in steps]
    return Figure(TITLES.get(metric, metric), y + BOTTOM, bands, ticks)


@dataclass(frozen=True)
class Difference:
    """Two differences with their intervals in one small drawing, the zero between them."""

    zero: float
    lines: Sequence[tuple[float, float, float]]  # low, value, high


def difference(found: Reversal) -> Difference:
    """Of a reversal: the one order's difference above, the other's below."""
    both = (found.here, found.there)
    start, end = _scale([0.0, *(one.low for one in both)], [0.0, *(one.high for one in both)])

    def x(value: float) -> float:
        return round(6 + (value - start) / (end - start) * (SMALL[0] - 12), 1)

    return Difference(x(0), [(x(one.low), x(one.difference), x(one.high)) for one in both])


def _scale(lows: Sequence[float], highs: Sequence[float]) -> tuple[float, float]:
    start, end = min(lows), max(highs)
    return (start, end) if end > start else (start - 0.5, end + 0.5)
