"""A card on disk: `card.json`, `card.md`, the same as plain text, and a picture."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from evaluation.cards import CARD
from evaluation.cards.measure import ACCURACY, AGAIN, Measured, value_of
from evaluation.escaping import escaped_markdown
from evaluation.perturbations.base import Perturbation
from evaluation.replications.another_sample import ANOTHER_SAMPLE
from evaluation.replications.results import ARROWS, REAL, Result
from motiongpt.files import write_json, write_text

SCHEMA = 1
COLUMNS = {
    "r_top1": "R@1",
    "r_top2": "R@2",
    "r_top3": "R@3",
    "mm_dist": "matching distance",
    "fid": "FID",
    ACCURACY: "right action (%)",
}
KEPT = "of real's R@1 (%)"
ROWS = {
    REAL: "Motion as it is in the store.",
    AGAIN: "Its joints made into features once more: what the way there and back costs by itself.",
    ANOTHER_SAMPLE: "As many clips of the training split: an FID that nothing is wrong with.",
}


@dataclass(frozen=True)
class Card:
    """What judges make of real motion and of changed motion, and all that it depends on.

    Attributes:
        measured: the numbers.
        perturbations: in the order of the rows.
        about: plain JSON: data, evaluator, classifier, settings, seeds, signature.
    """

    measured: Measured
    perturbations: Sequence[Perturbation]
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def results(self) -> list[Result]:
        """All numbers."""
        return self.measured.results

    @property
    def rows(self) -> list[str]:
        """Titles that have a number, real first."""
        titles = [REAL, AGAIN, *(one.title for one in self.perturbations), ANOTHER_SAMPLE]
        there = {one.row for one in self.results}
        return [title for title in titles if title in there]

    @property
    def metrics(self) -> list[str]:
        """Numbers that any row has, in the order of the columns."""
        there = {one.metric for one in self.results}
        return [name for name in COLUMNS if name in there]

    def kept(self, row: str, metric: str = "r_top1") -> float | None:
        """Percentage of real motion's number that a row still has; 100: the judge is blind to it.

        None where the row or real motion has none.
        """
        own, real = (value_of(self.results, title, metric) for title in (row, REAL))
        if own is None or real is None or not real.value:
            return None
        return 100.0 * own.value / real.value

    def summary(self) -> dict[str, float]:
        """ "row/metric" -> value, rows with underscores, for the metrics of a stage."""
        return {f"{one.row.replace(' ', '_')}/{one.metric}": one.value for one in self.results}

    def write(self, folder: Path) -> None:
        """Write `card.json`, `card.md` and `table.txt` into `folder`."""
        folder = Path(folder)
        write_json(folder / f"{CARD}.json", self._plain())
        write_text(folder / f"{CARD}.md", self.markdown())
        write_text(folder / "table.txt", self.text())

    def markdown(self) -> str:
        """Facts, the table, and what each row is."""
        header, rows = self._cells()
        table = ["| " + " | ".join(map(escaped_markdown, row)) + " |" for row in [header, *rows]]
        table.insert(1, "|" + " --- |" * len(header))
        says = [f"- {title}: {said}" for title, said in self._says().items()]
        return "\n".join([*self._facts(), "", *table, "", *says, ""])

    def text(self) -> str:
        """The table in columns."""
        header, rows = self._cells()
        widths = [max(len(row[k]) for row in [header, *rows]) for k in range(len(header))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in [header, *rows]
        ]
        return "\n".join([*self._facts(), "", *lines, ""])

    def _cells(self) -> tuple[list[str], list[list[str]]]:
        names = self.metrics
        judged = "r_top1" in names
        arrows = {one.metric: ARROWS[one.better] for one in self.results}
        header = ["motion", *(f"{COLUMNS[name]} {arrows[name]}" for name in names)]
        rows = [
            [
                title,
                *(_words(value_of(self.results, title, name)) for name in names),
                *([_per_cent(self.kept(title))] if judged else []),
            ]
            for title in self.rows
        ]
        return [*header, *([KEPT] if judged else [])], rows

    def _says(self) -> dict[str, str]:
        known = {**ROWS, **{one.title: one.says for one in self.perturbations}}
        return {title: known[title] for title in self.rows}

    def _facts(self) -> list[str]:
        data, settings = self.about.get("data", {}), self.about.get("settings", {})
        named = {
            name: found.get("name", "") if isinstance(found, Mapping) else ""
            for name in ("evaluator", "classifier")
            if (found := self.about.get(name))
        }
        judges = ", ".join(f"{kind} {name}".strip() for kind, name in named.items())
        said = [
            f"{judges or 'no judge'}; {self.measured.clips} clips of the "
            f"{data.get('split', '?')} split of {data.get('name', '?')}"
        ]
        if "pool" in settings:
            said.append(
                f"pools of {settings['pool']} (chance {1 / settings['pool']:.3f}), "
                f"{settings['replications']} replications; ± is 95 % over them, absent where "
                "nothing is drawn"
            )
        return ["; ".join(said) + "."]

    def _plain(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            **self.about,
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "clips": self.measured.clips,
            "rows": [
                {
                    "row": title,
                    "says": said,
                    "changed_clips": self.measured.changed.get(title),
                    "r_top1_kept_percent": self.kept(title),
                    "action_accuracy_kept_percent": self.kept(title, ACCURACY),
                }
                for title, said in self._says().items()
            ],
            "results": [asdict(one) for one in self.results],
        }


def _words(result: Result | None) -> str:
    if result is None:
        return "-"
    digits = 1 if abs(result.value) >= 10 else 3
    spread = f" ±{result.interval:.{digits}f}" if result.interval is not None else ""
    return f"{result.value:.{digits}f}{spread}"


def _per_cent(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"
