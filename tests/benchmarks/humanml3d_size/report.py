"""The files that a run leaves: results.json and table.md."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from motiongpt.files import write_json, write_text
from tests.benchmarks.humanml3d_size.part import Found
from tests.benchmarks.humanml3d_size.parts import PARTS
from tests.benchmarks.humanml3d_size.projection import Cost
from tests.benchmarks.speed.report import machine_line

FORMAT = 1
LINEAR = 1.2  # power of the number of clips above which growth is called faster than linear
BRIEF = 2.0  # seconds; below, start-up hides how a part grows
MEBI = 2**20


@dataclass(frozen=True)
class Measured:
    """A part at one size.

    Attributes:
        part: its name.
        clips: of the simulation.
        found: what it measured; None where it failed.
        core_seconds: of all cores together, of what was done and of making it ready: what to
            compare on a machine that others use too.
        start_bytes, peak_bytes: of its process before the work, and at the most.
        problem: why it failed, or empty.
    """

    part: str
    clips: int
    found: Found | None = None
    core_seconds: float = 0.0
    start_bytes: int = 0
    peak_bytes: int = 0
    problem: str = ""


def growth(measured: Sequence[Measured]) -> float | None:
    """The power of the number of clips with which a part's seconds of a core grow, between the
    largest two sizes; None where it took less than `BRIEF` seconds, or its work does not grow."""
    known = [one for one in measured if one.found and one.core_seconds > BRIEF]
    if len(known) < 2 or not PARTS[known[0].part].grows:
        return None
    small, large = sorted(known, key=lambda one: one.clips)[-2:]
    return math.log(large.core_seconds / small.core_seconds) / math.log(large.clips / small.clips)


def write_report(
    folder: Path,
    measured: Sequence[Measured],
    costs: Sequence[Cost],
    about: Mapping[str, Any],
) -> str:
    """Write the files into `folder`; gives the tables as Markdown."""
    write_json(
        folder / "results.json",
        {
            "kind": "humanml3d_size",
            "format": FORMAT,
            **about,
            "measured": [
                {**asdict(one), "projected": one.found.projected if one.found else None}
                for one in measured
            ],
            "growth": {name: growth(_of(name, measured)) for name in _names(measured)},
            "projection": [asdict(one) for one in costs],
        },
    )
    markdown = "\n".join([*_lines(measured, about), *_projection(costs, about)])
    write_text(folder / "table.md", markdown + "\n")
    return markdown


def _lines(measured: Sequence[Measured], about: Mapping[str, Any]) -> list[str]:
    sizes = about["sizes"]
    columns = ["part", *(f"{size:,} clips" for size in sizes), "grows with", "most memory"]
    lines = ["# HumanML3D's size, simulated", "", machine_line(about), ""]
    lines += [f"| {' | '.join(columns)} |", f"| {' | '.join('---' for _ in columns)} |"]
    for name in _names(measured):
        these = _of(name, measured)
        power = growth(these)
        grows = "" if power is None else f"clips^{power:.2f}"
        grows += " **faster than linear**" if power is not None and power > LINEAR else ""
        cells = [_cell(name, size, these) for size in sizes]
        lines.append(f"| {PARTS[name].title} | {' | '.join(cells)} | {grows} | {_memory(these)} |")
    return [
        *lines,
        "",
        "Each part in a process of its own; in brackets seconds of a core, by which growth is "
        "told. *p*: projected linearly, from the steps, requests or replications that were "
        "measured, or from the largest size that was. Memory: at the most, of the largest "
        "measured size, interpreter and libraries in brackets; what is mapped of a store is in it, "
        "which the system takes back when others need the room.",
        "",
        f"To get it again: `{about['command']}`",
    ]


def _cell(name: str, size: int, these: Sequence[Measured]) -> str:
    for one in these:
        if one.clips == size:
            if one.found is None:
                return f"**failed**: {one.problem}"
            if one.found.whole > one.found.done:
                return f"{_seconds(one.found.projected)} *p*"
            return f"{_seconds(one.found.projected)} ({one.core_seconds:.1f})"
    known = [one for one in these if one.found]
    if not known:
        return "–"
    largest = max(known, key=lambda one: one.clips)
    assert largest.found
    return f"{_seconds(largest.found.projected * size / largest.clips)} *p*"


def _memory(these: Sequence[Measured]) -> str:
    known = [one for one in these if one.found]
    if not known:
        return "–"
    largest = max(known, key=lambda one: one.clips)
    return f"{largest.peak_bytes / MEBI:,.0f} MiB ({largest.start_bytes / MEBI:,.0f})"


def _seconds(value: float) -> str:
    if value >= 7200:
        return f"{value / 3600:.1f} h"
    return f"{value:.0f} s" if value >= 10 else f"{value:.2g} s"


def _projection(costs: Sequence[Cost], about: Mapping[str, Any]) -> list[str]:
    peak, share = about["gpu_tflops"], about["utilisation"]
    lines = ["", "## `experiment=motiongpt_base` on one GPU: a projection, not measured", ""]
    lines += [
        f"Operations / ({peak:g} TFLOP/s x {share:.0%} utilisation); generation, scoring and "
        "validations are left out.",
        "",
        "| stage | steps | TFLOP a step | hours |",
        "| --- | --- | --- | --- |",
    ]
    hours = [one.hours(peak * 1e12, share) for one in costs]
    for one, time in zip(costs, hours, strict=True):
        lines.append(f"| {one.stage} | {one.steps:,} | {one.flops / 1e12:.2f} | {time:.1f} |")
    return [*lines, f"| all | | | {sum(hours):.1f} |"]


def _names(measured: Sequence[Measured]) -> list[str]:
    return list(dict.fromkeys(one.part for one in measured))


def _of(name: str, measured: Sequence[Measured]) -> list[Measured]:
    return [one for one in measured if one.part == name]
