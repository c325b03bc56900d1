"""The files that a benchmark leaves: results.json, table.md, table.csv and a picture."""

import csv
import io
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from evaluation.speed.chart import save_chart
from evaluation.speed.limits import Limits
from evaluation.speed.results import DISTURBED, PartResult, SideResult
from motiongpt.files import write_json, write_text

FORMAT = 1
MEBI = 2**20
COLUMNS = (
    *("part", "way", "seconds (min – max)", "times as fast", "goal"),
    *("memory, MiB", "of the original's", "a second", "of the limit"),
)
EXPLANATION = (
    "Seconds: median, smallest and largest of {repeats} runs after untimed ones, the ways taking "
    "turns. Times as fast: ratio of the medians (in brackets the ratios of runs made one after the "
    "other). Memory: the most that the way's process held (store_opening: beyond interpreter and "
    "torch). Of the limit: what the machine would need at best for the useful work, by a matrix "
    "product and a copy measured in the same run, as a share of the median."
)
DISTURBANCE = (
    "† Other programs kept more than {cores} cores busy meanwhile: measure again on a machine at "
    "rest. Threads that wait for each other suffer most, so the ratios are wrong, too."
)


@dataclass(frozen=True)
class Circumstances:
    """Everything that the numbers depend on besides the code that is timed.

    Attributes:
        command: how to get them again.
        time: ISO 8601, when it began.
        settings: size, threads, seed.
        machine, versions: see `machine`.
        git: commit, and whether files differ from it.
        interrupted: whether parts are missing because somebody stopped it.
    """

    command: str
    time: str
    settings: Mapping[str, Any]
    machine: Mapping[str, Any]
    versions: Mapping[str, str]
    git: Mapping[str, Any]
    interrupted: bool = False


def write_report(
    folder: Path,
    results: Sequence[PartResult],
    limits: Mapping[str, Limits],
    about: Circumstances,
) -> str:
    """Write the files into `folder` and return the table as Markdown."""
    markdown = markdown_report(results, limits, about)
    write_json(
        folder / "results.json",
        {
            "format": FORMAT,
            **asdict(about),
            "limits": {device: asdict(limit) for device, limit in limits.items()},
            "parts": [result.as_json(limits[result.device]) for result in results],
        },
    )
    write_text(folder / "table.md", markdown + "\n")
    write_text(folder / "table.csv", _csv(results, limits))
    save_chart(folder / "ratios.png", results)
    return markdown


def markdown_report(
    results: Sequence[PartResult], limits: Mapping[str, Limits], about: Circumstances
) -> str:
    """Machine, table, what was done in each part, and how to get it again."""
    runs = sorted({len(one.seconds) for result in results for one in result.sides} - {0})
    lines = [
        f"# Speed, size {about.settings['size']}",
        "",
        _machine_line(about),
        "",
        *(_limit_line(device, limit) for device, limit in limits.items()),
        "",
        "| " + " | ".join(COLUMNS) + " |",
        "| " + " | ".join("---" for _ in COLUMNS) + " |",
        *(
            "| " + " | ".join(_row(result, one, limits[result.device])) + " |"
            for result in results
            for one in result.sides
        ),
        "",
        EXPLANATION.format(repeats=" or ".join(map(str, runs)) or "no"),
        "",
    ]
    if any(one.disturbed for result in results for one in result.sides):
        lines += [DISTURBANCE.format(cores=DISTURBED), ""]
    for result in results:
        lines += _details(result)
    if about.interrupted:
        lines += ["Stopped before its end: parts or runs are missing.", ""]
    return "\n".join([*lines, f"To get it again: `{about.command}`"])


def _machine_line(about: Circumstances) -> str:
    machine, versions = about.machine, about.versions
    commit = about.git.get("git_commit")
    changed = " with changes" if about.git.get("git_dirty") else ""
    parts = [
        f"{machine['cpu']}, {machine['cores']} cores ({' '.join(machine['cpu_flags'])}), "
        f"{about.settings['threads']} threads, {machine['memory_bytes'] / 2**30:.0f} GiB",
        f"GPU {machine['gpu']}" if machine["gpu"] else "no GPU",
        f"load {machine['load']} at the start",
        f"torch {versions['torch']}, transformers {versions['transformers']}",
        f"seed {about.settings['seed']}",
        f"commit {commit[:10]}{changed}" if commit else "no commit",
        about.time,
    ]
    return "; ".join(parts)


def _limit_line(device: str, limit: Limits) -> str:
    products = ", ".join(f"{value / 1e9:,.0f} GFLOP/s {name}" for name, value in limit.flop.items())
    return f"Limits of {device}: {products}; copy {limit.bandwidth / 1e9:,.1f} GB/s."


def _row(result: PartResult, one: SideResult, limits: Limits) -> list[str]:
    part = result.name if result.device == "cpu" else f"{result.name}, GPU"
    if one.median is None:
        return [part, one.side.name, one.problem or "not timed", *[""] * (len(COLUMNS) - 3)]
    ratio, bounds = result.ratio(one), result.ratio_range(one)
    limit, memory, share = (
        result.limit_seconds(one, limits),
        result.memory(one),
        result.memory_share(one),
    )
    spread = f"{_seconds(min(one.seconds))} – {_seconds(max(one.seconds))}"
    return [
        part,
        one.side.name,
        f"{_seconds(one.median)} ({spread})"
        + (" *" if one.problem else "")
        + (" †" if one.disturbed else ""),
        f"**{ratio:.1f}** ({bounds[0]:.1f} – {bounds[1]:.1f})" if ratio and bounds else "",
        _verdicts(result.verdicts(one)),
        f"{memory / MEBI:,.0f}" if memory is not None else "",
        f"{share:.0%}" if share else "",
        f"{result.rate(one):,.0f} {result.unit}",
        f"{limit / one.median:.{0 if limit > 0.1 * one.median else 1}%}" if limit else "–",
    ]


def _verdicts(verdicts: Mapping[str, bool]) -> str:
    return ", ".join(f"{goal}: {'yes' if met else 'no'}" for goal, met in verdicts.items())


def _seconds(value: float) -> str:
    """Three digits that count."""
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.{2 if value >= 1 else 4 if value < 0.1 else 3}f}"


def _details(result: PartResult) -> list[str]:
    where = "GPU" if result.device == "cuda" else "CPU"
    lines = [f"**{result.name}** ({where}): {result.title}. {result.workload}.", ""]
    for one in result.sides:
        found = ", ".join(f"{name} {value:.5g}" for name, value in one.measures.items())
        stopped = f" * {one.problem}." if one.problem else ""
        lines.append(f"- {one.side.name}: {one.side.text}.{f' {found}.' if found else ''}{stopped}")
    for check in result.checks:
        lines.append(f"- {'same' if check.passed else '**NOT the same**'}: {check.text}")
    return [*lines, ""]


def _csv(results: Sequence[PartResult], limits: Mapping[str, Limits]) -> str:
    rows = [
        {"part": result.name, "device": result.device, "unit": result.unit, **side}
        for result in results
        for side in result.as_json(limits[result.device])["sides"]
    ]
    for row in rows:
        seconds, others = row.pop("seconds"), row.pop("others")
        row |= {
            "other_programs_cores": statistics.median(others) if others else None,
            "runs": len(seconds),
            "min": min(seconds, default=None),
            "max": max(seconds, default=None),
        }
        low, high = row.pop("ratio_range") or (None, None)
        row["goal"] = _verdicts(row["goal"])
        row |= {"ratio_min": low, "ratio_max": high, "measures": str(row["measures"] or "")}
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
