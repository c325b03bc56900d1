"""A table as words: the head and the rows that plain text and Markdown share."""

from collections import Counter
from collections.abc import Iterator

from evaluation.leaderboard.judgement import column_title
from evaluation.leaderboard.published import Column
from evaluation.leaderboard.table import Group, Row, Table
from evaluation.replications.intervals import SeedSpread

METHOD_TITLE = "Method"
SECONDARY = "†"
SECONDARY_MEANS = f"{SECONDARY} read where others repeat it, not in the method's own source"
ARROWS = {"higher": "↑", "lower": "↓", "real": "→"}
LEGEND = (
    "↑ higher is better, ↓ lower is better, → nearer to real motion is better; "
    "± 95 % interval, of a row of several training seeds Student's t over them; "
    "- not measured or not printed"
)


def head(table: Table, verdicts: bool) -> list[str]:
    """Titles with units and arrows; the last one, where there are verdicts, is theirs."""
    titles = [
        f"{column_title(column, with_unit=True)} {ARROWS[column.better]}"
        for column in table.columns
    ]
    return [*first_titles(table), *titles, *(["verdict"] if verdicts else [])]


def first_titles(table: Table) -> list[str]:
    """Of the columns in front of the numbers: the method, and its setting where rows have one."""
    return [METHOD_TITLE, *([table.setting_title] if table.setting_title else [])]


def first_words(table: Table, row: Row) -> list[str]:
    """What a row has in these columns."""
    method = f"{row.method} {SECONDARY}" if row.secondary else row.method
    return [method, *([row.setting] if table.setting_title else [])]


def row_words(table: Table, row: Row, verdicts: bool, best: str = "{}") -> list[str]:
    """The cells of one row; `best` is the format of the best number of a column."""
    words = [cell_words(table, row, column, best) for column in table.columns]
    verdict = [table.verdict_words(row) or "-"] if verdicts else []
    return [*first_words(table, row), *words, *verdict]


def cell_words(table: Table, row: Row, column: Column, best: str = "{}") -> str:
    """One number, or `-`."""
    cell = row.cells.get(column.key)
    if cell is None:
        return "-"
    said = cell.text(table.published.decimals(column.key))
    return best.format(said) if cell.best else said


def has_verdicts(table: Table) -> bool:
    """Whether any row is ours."""
    return any(row.kind == "own" for group in table.groups for row in group.rows)


def group_title(group: Group) -> str:
    """`Ours: data …, protocol …`: stands above every group, so that no column mixes protocols."""
    return f"{group.title}: {group.label}"


def sources(table: Table) -> list[str]:
    """Where the published numbers were read."""
    read = ", ".join(dict.fromkeys(table.published.sources.values()))
    return [f"Sources: {read}.", *table.published.facts, *marks(table)]


def marks(table: Table) -> list[str]:
    """What the marks beside methods mean, where there are any."""
    rows = [row for group in table.groups for row in group.rows]
    return [f"{SECONDARY_MEANS}."] if any(row.secondary for row in rows) else []


SPREADS = (
    "row",
    "number",
    "mean",
    "training seeds",
    "standard deviation over training seeds",
    "± over training seeds (Student's t)",
    "± over replications of one model",
)
"""Head of the table that keeps the two kinds of spread apart, see `spread_rows`."""


def spread_rows(table: Table) -> list[list[str]]:
    """One line for each number that was joined over training seeds, for `SPREADS`."""
    rows = []
    for row, column, spread in joined_numbers(table):
        decimals = table.published.decimals(column.key)
        own = "-" if spread.replications is None else f"{spread.replications:.{decimals}f}"
        rows.append(
            [
                row.label,
                column_title(column, with_unit=True),
                f"{spread.mean:.{decimals}f}",
                str(len(spread.values)),
                f"{spread.deviation:.{decimals}f}",
                f"{spread.interval:.{decimals}f}",
                own,
            ]
        )
    return rows


def joined_numbers(table: Table) -> Iterator[tuple[Row, Column, SeedSpread]]:
    """Rows and columns of the numbers that were joined over training seeds."""
    for group in table.groups:
        for row in group.rows:
            for column in table.columns:
                cell = row.cells.get(column.key)
                if cell is not None and cell.spread is not None:
                    yield row, column, cell.spread


def row_notes(table: Table) -> list[str]:
    """What is to be known of single rows, each once; of our runs, how many it is true of."""
    rows = [row for group in table.groups for row in group.rows if row.note]
    published = dict.fromkeys(f"{row.label}: {row.note}." for row in rows if row.run is None)
    ours = Counter(row.note for row in rows if row.run is not None)
    return [*published, *(f"{count} of our rows: {note}." for note, count in ours.items())]
