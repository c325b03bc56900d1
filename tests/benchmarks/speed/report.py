"""The files that a benchmark leaves: results.json and table.md."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from motiongpt.files import write_json, write_text
from tests.benchmarks.speed.measuring import PartResult, SideResult
from tests.benchmarks.speed.part import Part

FORMAT = 2
MEBI = 2**20
COLUMNS = (
    *("part", "way", "seconds (min – max)", "times as fast"),
    *("memory, MiB", "of the original's", "a second"),
)
EXPLANATION = (
    "Seconds: median, smallest and largest of the timed runs (their number behind x), which come "
    "after untimed ones, the ways taking turns. Times as fast: ratio of the medians. Memory: the "
    "most that the way's process held (store_opening: beyond interpreter and torch)."
)


def write_report(
    folder: Path,
    results: Sequence[PartResult],
    parts: Sequence[Part],
    about: Mapping[str, Any],
) -> str:
    """Write the files into `folder` and return the table as Markdown.

    Args:
        results: of the parts that were begun.
        parts: the part of each result.
        about: command, time, settings, machine and commit: what the numbers depend on.
    """
    markdown = "\n".join(_lines(results, parts, about))
    measured = [
        {
            "part": result.name,
            "device": result.device,
            "workload": part.workload(),
            "unit": part.unit,
            "units": part.units(),
            "sides": [
                {"side": side, "median": one.median, "ratio": result.ratio(side), **asdict(one)}
                for side, one in result.sides.items()
            ],
        }
        for result, part in zip(results, parts, strict=True)
    ]
    write_json(
        folder / "results.json", {"kind": "speed", "format": FORMAT, **about, "parts": measured}
    )
    write_text(folder / "table.md", markdown + "\n")
    return markdown


def _lines(
    results: Sequence[PartResult], parts: Sequence[Part], about: Mapping[str, Any]
) -> list[str]:
    lines = [f"# Speed, size {about['settings']['size']}", "", machine_line(about), ""]
    lines += [f"| {' | '.join(COLUMNS)} |", f"| {' | '.join('---' for _ in COLUMNS)} |"]
    for result, part in zip(results, parts, strict=True):
        lines += [f"| {' | '.join(_row(result, part, side))} |" for side in result.sides]
    lines += ["", EXPLANATION, ""]
    for result, part in zip(results, parts, strict=True):
        lines += [f"**{_name(result)}**: {part.title}. {part.workload()}.", ""]
        for side, one in result.sides.items():
            lines.append(f"- {side}: {part.side(side).text}.{_judged(one)}")
        lines.append("")
    if about["interrupted"]:
        lines += ["Stopped before its end: parts or runs are missing.", ""]
    return [*lines, f"To get it again: `{about['command']}`"]


def machine_line(about: Mapping[str, Any]) -> str:
    """What was measured on, in one line."""
    machine, settings, commit = about["machine"], about["settings"], about["git"].get("git_commit")
    changed = " with changes" if about["git"].get("git_dirty") else ""
    flags = " ".join(machine["cpu_flags"])
    return "; ".join(
        [
            f"{machine['cpu']}, {machine['cores']} cores ({flags}), {settings['threads']} threads, "
            f"{machine['memory_bytes'] / 2**30:.0f} GiB",
            f"GPU {machine['gpu']}" if machine["gpu"] else "no GPU",
            f"load {machine['load']} at the start",
            *(f"{name} {machine['versions'][name]}" for name in ("torch", "transformers")),
            f"seed {settings['seed']}",
            f"commit {commit[:10]}{changed}" if commit else "no commit",
            about["time"],
        ]
    )


def _name(result: PartResult) -> str:
    return result.name if result.device == "cpu" else f"{result.name}, GPU"


def _row(result: PartResult, part: Part, side: str) -> list[str]:
    one, ratio, share = result.sides[side], result.ratio(side), result.memory_share(side)
    if one.median is None:
        return [_name(result), side, one.problem or "not timed", *[""] * (len(COLUMNS) - 3)]
    spread = f"{_seconds(min(one.seconds))} – {_seconds(max(one.seconds))}"
    return [
        _name(result),
        side,
        f"{_seconds(one.median)} ({spread}) x {len(one.seconds)}",
        f"**{ratio:.1f}**" if ratio else "",
        f"{one.memory / MEBI:,.0f}" if one.memory is not None else "",
        f"{share:.0%}" if share is not None else "",
        f"{part.units() / one.median:,.0f} {part.unit}",
    ]


def _seconds(value: float) -> str:
    """Three digits that count."""
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.{2 if value >= 1 else 4 if value < 0.1 else 3}f}"


def _judged(one: SideResult) -> str:
    said = f" Ended early: {one.problem}." if one.problem else ""
    if one.check is None:
        return said
    return f"{said} {'Same' if one.check.passed else '**NOT the same**'}: {one.check.text}."
