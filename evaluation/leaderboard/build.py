"""From a published table and our runs to groups of rows with verdicts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from evaluation.leaderboard.published import Column, PublishedRow, PublishedTable
from evaluation.leaderboard.quantity import Quantity, converted
from evaluation.leaderboard.ranking import ranking
from evaluation.leaderboard.runs import (
    experiment_key,
    fact,
    fits,
    format_note,
    run_label,
    run_setting,
    setting_key,
    setting_label,
)
from evaluation.leaderboard.table import Cell, Group, Row, Table
from evaluation.leaderboard.training_seeds import members_of, spread_of
from evaluation.leaderboard.verdict import judge, own_quantity
from evaluation.replications.intervals import SeedSpread
from evaluation.replications.results import MODEL, REAL, Result
from evaluation.reports.results_file import ResultsFile


def build_table(
    published: PublishedTable,
    runs: Sequence[ResultsFile],
    shipped: Mapping[str, Mapping[str, Any]],
) -> Table:
    """Put our runs beside a published table.

    Args:
        runs: those that measured nothing of this table, or lack a fact that it asks for, are left
            out.
        shipped: protocol name -> settings, see `comparability.differences`.
    """
    groups = [*_published_groups(published), *_own_groups(published, runs, shipped)]
    return Table(published, [replace(group, rows=_mark_best(group, published)) for group in groups])


def _published_groups(published: PublishedTable) -> list[Group]:
    found: dict[tuple[str, str], list[Row]] = {}
    for row in published.rows:
        title = "Published" if not row.by else "Independent re-evaluations"
        found.setdefault((title, row.protocol.label), []).append(_published_row(row, published))
    return [Group(title, label, rows) for (title, label), rows in found.items()]


def _published_row(row: PublishedRow, published: PublishedTable) -> Row:
    clips = f"{row.protocol.clips:,} clips" if row.protocol.clips else ""
    return Row(
        method=row.method,
        kind="independent" if row.by else "published",
        cells={key: Cell(quantity) for key, quantity in row.numbers.items()},
        setting=", ".join(word for word in (row.setting, row.by and f"by {row.by}") if word),
        real=row.role == REAL,
        source=published.sources[row.source],
        secondary=row.secondary,
        note="; ".join(word for word in (clips, row.note) if word),
    )


def _own_groups(
    published: PublishedTable,
    runs: Sequence[ResultsFile],
    shipped: Mapping[str, Mapping[str, Any]],
) -> list[Group]:
    wanted = [run for run in runs if fits(run, published.where) and _measures(run, published)]
    if published.axis:
        wanted = [run for run in wanted if fact(run, published.axis) is not None]
    settings: dict[tuple[str, ...], list[ResultsFile]] = {}
    for run in wanted:
        # A table over a fact has one group a sweep; the others hold all methods under a protocol.
        sweep = (experiment_key(run, published.axis),) if published.axis else ()
        settings.setdefault((*setting_key(run), *sweep), []).append(run)
    return [
        _own_group(members, published, shipped)
        for members in settings.values()
        if len({str(fact(run, published.axis)) for run in members}) >= published.at_least
    ]


def _own_group(
    members: Sequence[ResultsFile],
    published: PublishedTable,
    shipped: Mapping[str, Mapping[str, Any]],
) -> Group:
    rows = _own_rows(members, published, shipped)
    models = [row for row in rows if row.name == MODEL]
    methods = Counter(row.method for row in models)

    def words(row: Row) -> str:  # as few as tell it from the others
        if published.axis:
            return row.setting or row.method
        return row.method if methods[row.method] == 1 else row.label

    ranked = [(words(row), row.run) for row in models if row.run is not None]
    label = _own_label(members[0], published)
    return Group("Ours", label, rows, ranking(ranked, published.columns))


def _own_label(run: ResultsFile, published: PublishedTable) -> str:
    label = setting_label(run)
    return f"{label} · {run_label(run, without=published.axis)}" if published.axis else label


def _measures(run: ResultsFile, published: PublishedTable) -> bool:
    return any(run.number(c.task, MODEL, c.metric) is not None for c in published.columns)


def _own_rows(
    runs: Sequence[ResultsFile],
    published: PublishedTable,
    shipped: Mapping[str, Mapping[str, Any]],
) -> list[Row]:
    """Real motion, our methods by the fact that varies, the baselines: each of these once."""
    if published.axis:
        ordered = sorted(runs, key=lambda run: _axis_order(fact(run, published.axis)))
    else:
        ordered = sorted(runs, key=lambda run: run.method.name)
    models = [_own_row(run, MODEL, published, shipped, runs) for run in ordered]
    others: dict[str, Row] = {}
    for run in sorted(runs, key=lambda run: run.time, reverse=True):
        for name in run.rows:
            row = _own_row(run, name, published, shipped, runs)
            known = others.get(name)
            if name != MODEL and (known is None or len(row.cells) > len(known.cells)):
                others[name] = row
    filled = {name: row for name, row in others.items() if row.cells}
    real = [filled.pop(REAL)] if REAL in filled else []
    return [*real, *models, *filled.values()]


def _own_row(
    run: ResultsFile,
    name: str,
    published: PublishedTable,
    shipped: Mapping[str, Mapping[str, Any]],
    beside: Sequence[ResultsFile],
) -> Row:
    cells = {}
    for column in published.columns:
        number = run.number(column.task, name, column.metric)
        if number is not None:
            verdict = judge(run, number, column, published, shipped)
            quantity = own_quantity(number, column)
            cells[column.key] = (
                Cell(Quantity(number.value, number.interval), verdict, unit=number.unit)
                if quantity is None
                else Cell(quantity, verdict, spread=_spread(run, number, column))
            )
    method, setting = ("Real" if name == REAL else name), ""
    if name == MODEL:
        method = run.method.name
        axis = published.axis
        setting = str(fact(run, axis)) if axis else run_setting(run, beside)
    return Row(
        method,
        "own",
        cells,
        setting=setting,
        real=name == REAL,
        source=run.signature,
        note=_note(run) if name == MODEL else "",
        run=run,
        name=name,
    )


def _note(run: ResultsFile) -> str:
    count = len(members_of(run))
    seeds = f"{count} training seeds" if count > 1 else ""
    return "; ".join(said for said in (seeds, format_note(run)) if said)


def _spread(run: ResultsFile, number: Result, column: Column) -> SeedSpread | None:
    """Both spreads in the unit of the column."""
    found = spread_of(run, number)
    factor = converted(1.0, number.unit, column.unit)
    return found if found is None or factor is None else found.scaled(factor)


def _real_in(row: Row, column: Column) -> bool:
    return row.real and column.key in row.cells


def _axis_order(value: Any) -> tuple[float, str]:
    return (float(value), "") if isinstance(value, int | float) else (0.0, str(value))


def _mark_best(group: Group, published: PublishedTable) -> list[Row]:
    rows = group.rows
    best: dict[str, float] = {}
    badness: dict[tuple[int, str], float] = {}
    for column in published.columns:
        real = next((r.cells[column.key].quantity for r in rows if _real_in(r, column)), None)
        if real is None and rows[0].kind == "published":
            real = published.real(column)
        for index, row in enumerate(rows):
            if not row.competes or column.key not in row.cells:
                continue
            value = row.cells[column.key].quantity.value
            if column.better == "higher":
                found = -value
            elif column.better == "lower":
                found = value
            elif real is not None:
                found = abs(value - real.value)
            else:
                continue
            badness[index, column.key] = found
            best[column.key] = min(found, best.get(column.key, found))
    competing = {key: sum(k == key for _, k in badness) for key in best}
    return [
        replace(
            row,
            cells={
                key: replace(
                    cell,
                    best=competing.get(key, 0) > 1 and badness.get((index, key)) == best[key],
                )
                for key, cell in row.cells.items()
            },
        )
        for index, row in enumerate(rows)
    ]
