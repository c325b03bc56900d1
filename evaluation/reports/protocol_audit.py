"""What each deviation of a protocol moves: variants of one protocol, and the table of them."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from omegaconf import DictConfig, OmegaConf

from evaluation.escaping import csv_cell
from evaluation.replications.results import MODEL, REAL, Result
from evaluation.reports.results_file import ResultsFile

TOGETHER = "_decoding"  # settings of one way of decoding only make sense together
# No published protocol has these: they are left to the CSV.
PLAUSIBILITY = frozenset({"foot_sliding", "floating", "penetration", "jitter", "bone_length_error"})
SAME = "·"


@dataclass(frozen=True)
class Variant:
    """A protocol, or one with something changed; `overrides` make it."""

    name: str
    overrides: tuple[str, ...]


def variants(base: str, protocols: Mapping[str, DictConfig]) -> list[Variant]:
    """The base, then each setting that another protocol has otherwise, then each other whole.

    Args:
        base: name of the protocol that is changed.
        protocols: by name, the base among them.
    """
    own = _settings(protocols[base])
    found = {base: Variant(base, (f"protocol={base}",))}
    others = [name for name in protocols if name != base]
    for other in others:
        for unit, changed in _differences(own, _settings(protocols[other])).items():
            values = ", ".join(
                f"{key.removeprefix(unit).lstrip('.')}={value}".lstrip("=")
                for key, value in changed.items()
            )
            name = f"{unit.partition('.')[2]}: {values}"
            overrides = tuple(f"protocol.{key}={value}" for key, value in changed.items())
            found.setdefault(name, Variant(name, (f"protocol={base}", *overrides)))
    for other in others:
        found[other] = Variant(f"all of {other}", (f"protocol={other}",))
    return list(found.values())


def audit_tables(scored: Mapping[Variant, ResultsFile]) -> tuple[str, str]:
    """Markdown, one table a task, and CSV, one line a number; the first variant is the base.

    In Markdown a number that a variant leaves exactly as it was is a dot, one that it moves less
    than the table shows is ≈, and one that it moves beyond both intervals is bold; variants that
    move nothing of a task are named below its table.
    """
    files = list(scored.values())
    base = files[0]
    blocks = [_origin(base)]
    for task in dict.fromkeys(number.task for number in base.results):
        columns = [
            (row, metric)
            for row in (MODEL, REAL)
            for metric in dict.fromkeys(n.metric for n in base.results if n.task == task)
            if metric not in PLAUSIBILITY and _worth_a_column(files, task, row, metric)
        ]
        head = [
            "protocol",
            *(metric + (", real" if row == REAL else "") for row, metric in columns),
        ]
        rows = [
            [variant.name, *(_cell(base, file, task, *column) for column in columns)]
            for variant, file in scored.items()
        ]
        idle = [row[0] for row in rows if set(row[1:]) == {SAME}]
        rows = [row for row in rows if row[0] not in idle]
        lines = ["| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows]]
        if idle:
            lines += ["", f"No number here depends on {'; '.join(idle)}."]
        blocks.append("\n".join([f"## {task.replace('_', ' ')}", "", *lines]))
    return "\n\n".join(blocks), _csv(scored)


def _settings(protocol: DictConfig) -> dict[str, Any]:
    """Dotted key -> value of all settings in sections: the rest says which clips and how often."""
    plain = OmegaConf.to_container(protocol, resolve=True)
    assert isinstance(plain, dict)
    return {
        key: value
        for section, settings in plain.items()
        if isinstance(settings, Mapping)
        for key, value in _flat(str(section), settings).items()
    }


def _flat(prefix: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        return {prefix: value}
    return {
        key: found
        for name, part in value.items()
        for key, found in _flat(f"{prefix}.{name}", part).items()
    }


def _differences(own: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What changes together -> the settings that differ, with the other's values."""
    found: dict[str, dict[str, Any]] = {}
    for key, value in other.items():
        if own[key] != value:
            parent = key.rpartition(".")[0]
            unit = parent if parent.endswith(TOGETHER) else key
            found.setdefault(unit, {})[key] = value
    return found


def _worth_a_column(files: list[ResultsFile], task: str, row: str, metric: str) -> bool:
    numbers = [file.number(task, row, metric) for file in files]
    if numbers[0] is None:
        return False
    # What real motion scores against itself tells only where a protocol moves it.
    return row == MODEL or len({number.value for number in numbers if number}) > 1


def _cell(base: ResultsFile, file: ResultsFile, task: str, row: str, metric: str) -> str:
    number, before = file.number(task, row, metric), base.number(task, row, metric)
    if number is None or before is None:
        return "-"
    if file is base:
        return _words(number)
    if number.value == before.value:
        return SAME
    if _words(number) == _words(before):
        return "≈"
    reach = (number.interval or 0.0) + (before.interval or 0.0)
    moved = abs(number.value - before.value) > reach
    return f"**{_words(number)}**" if moved else _words(number)


def _words(number: Result) -> str:
    digits = 1 if abs(number.value) >= 10 else 3
    spread = f" ±{number.interval:.{digits}f}" if number.interval is not None else ""
    return f"{number.value:.{digits}f}{spread}"


def _origin(base: ResultsFile) -> str:
    return (
        f"Base: method {base.method.name}, protocol {base.protocol['name']}, "
        f"{base.data.clips} clips of the {base.data.split} split of {base.data.name} "
        f"({base.data.fingerprint[:12]}), "
        f"{base.protocol['replications']} replications, signature {base.signature}. "
        "A dot: exactly as the base; ≈: less than is shown; bold: beyond both 95 % intervals."
    )


def _csv(scored: Mapping[Variant, ResultsFile]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ["variant", "signature", "task", "row", "metric", "value", "interval", "replications"]
    )
    for variant, file in scored.items():
        for number in file.results:
            writer.writerow(
                [
                    *map(csv_cell, (variant.name, file.signature, number.task, number.row)),
                    csv_cell(number.metric),
                    number.value,
                    "" if number.interval is None else number.interval,
                    number.replications,
                ]
            )
    return text.getvalue()
