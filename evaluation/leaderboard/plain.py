"""A table for the terminal."""

from evaluation.leaderboard.table import Table
from evaluation.leaderboard.words import (
    LEGEND,
    SPREADS,
    first_titles,
    group_title,
    has_verdicts,
    head,
    row_notes,
    row_words,
    sources,
    spread_rows,
)


def plain_table(table: Table) -> str:
    """Aligned columns; every group stands under its label, and ours have a line of verdicts."""
    verdicts = has_verdicts(table)
    title = head(table, verdicts)
    rows = [
        (group, [row_words(table, row, verdicts) for row in group.rows]) for group in table.groups
    ]
    every = [title, *(row for _, members in rows for row in members)]
    widths = [max(len(row[index]) for row in every) for index in range(len(title))]
    first = len(first_titles(table))
    numbers = range(first, first + len(table.columns))

    def line(cells: list[str]) -> str:
        padded = (
            cell.rjust(width) if index in numbers else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return "  ".join(padded).rstrip()

    lines = [table.published.title, line(title), "-" * len(line(title))]
    for group, members in rows:
        lines += [f"[{group_title(group)}]", *map(line, members)]
        lines += [group.ranking] if group.ranking else []
    if joined := spread_rows(table):
        lines += ["", *_aligned([list(SPREADS), *joined])]
    note = [table.published.note] if table.published.note else []
    return "\n".join([*lines, "", LEGEND, *note, *sources(table), *row_notes(table)])


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
