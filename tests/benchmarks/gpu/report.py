"""The files that a run leaves: results.json and table.md."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from motiongpt.files import write_json, write_text
from tests.benchmarks.gpu.number import Number
from tests.benchmarks.speed.report import machine_line

FORMAT = 1
COLUMNS = ("part", "measured", "value", "limit", "")


@dataclass
class PartResult:
    """What is known of one part.

    Attributes:
        name, title: of the part.
        numbers: in the order measured.
        seconds: it took.
        problem: why it ended early, or empty.
    """

    name: str
    title: str
    numbers: list[Number] = field(default_factory=list)
    seconds: float = 0.0
    problem: str = ""

    @property
    def passed(self) -> bool:
        """It ran to its end, and no limit is passed."""
        return not self.problem and all(one.passed is not False for one in self.numbers)


def write_report(folder: Path, results: Sequence[PartResult], about: Mapping[str, Any]) -> str:
    """Write the files into `folder`; gives the table as Markdown."""
    parts = [
        {
            **asdict(result),
            "passed": result.passed,
            "numbers": [{**asdict(one), "passed": one.passed} for one in result.numbers],
        }
        for result in results
    ]
    write_json(folder / "results.json", {"kind": "gpu", "format": FORMAT, **about, "parts": parts})
    markdown = "\n".join(_lines(results, about))
    write_text(folder / "table.md", markdown + "\n")
    return markdown


def _lines(results: Sequence[PartResult], about: Mapping[str, Any]) -> list[str]:
    settings = about["settings"]
    lines = [
        f"# GPU, size {settings['size']}, on {settings['device']}",
        "",
        machine_line(about),
        "",
    ]
    lines += [f"| {' | '.join(COLUMNS)} |", f"| {' | '.join('---' for _ in COLUMNS)} |"]
    for result in results:
        lines += [_row(result.name, one) for one in result.numbers]
        if result.problem:
            lines.append(f"| {result.name} | {result.problem} | | | **failed** |")
    lines += ["", "Limits in brackets are not judged on this device or size.", ""]
    lines += [f"- {one.name}: {one.title}; {one.seconds:.0f} s" for one in results]
    return [*lines, "", f"To get it again: `{about['command']}`"]


def _row(part: str, number: Number) -> str:
    value = f"{number.value:.4g} {number.unit}".strip()
    limit = ""
    if number.limit is not None:
        limit = f"{'≥' if number.at_least else '≤'} {number.limit:g}"
        limit = limit if number.judged else f"({limit})"
    verdict = {True: "kept", False: "**failed**", None: ""}[number.passed]
    return f"| {part} | {number.name} | {value} | {limit} | {verdict} |"
