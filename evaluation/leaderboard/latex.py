"""The leaderboard as LaTeX tables for the package booktabs."""

import itertools
import re

from evaluation.leaderboard.board import Board
from evaluation.leaderboard.published import Column
from evaluation.leaderboard.table import Row, Table
from evaluation.leaderboard.words import (
    first_titles,
    first_words,
    group_title,
    has_verdicts,
    marks,
)

ARROWS = {"higher": r"$\uparrow$", "lower": r"$\downarrow$", "real": r"$\rightarrow$"}
SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{letter: f"\\{letter}" for letter in "&%$#_{}"},
    "±": r"$\pm$",
    "·": r"$\cdot$",
    "→": r"$\rightarrow$",
    "†": r"$\dagger$",
    "<": r"$<$",
    ">": r"$>$",
}


def latex(board: Board) -> str:
    r"""All tables; the document that takes them in needs `\usepackage{booktabs}`."""
    return "\n".join(["% needs \\usepackage{booktabs}", *map(latex_table, board.tables)])


def latex_table(table: Table) -> str:
    """One `table` environment."""
    verdicts = has_verdicts(table)
    first = first_titles(table)
    notes = [table.published.note, *marks(table)]
    width = len(first) + len(table.columns) + verdicts
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{escaped(' '.join([f'{table.published.title}.', *notes]))}}}",
        rf"\label{{tab:{table.published.name}}}",
        rf"\begin{{tabular}}{{{'l' * len(first)}{'c' * len(table.columns)}{'l' * verdicts}}}",
        r"\toprule",
        *_column_groups(table),
        _line(
            *map(escaped, first),
            *(_title(column) for column in table.columns),
            *(["Verdict"] if verdicts else []),
        ),
    ]
    for group in table.groups:
        label = escaped(group_title(group))
        lines += [r"\midrule", rf"\multicolumn{{{width}}}{{l}}{{\textit{{{label}}}}} \\"]
        lines += [_row(table, row, verdicts) for row in group.rows]
        if group.ranking:
            said = rf"\textit{{{escaped(group.ranking)}}}"
            lines.append(rf"\multicolumn{{{width}}}{{l}}{{{said}}} \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}", ""])


def escaped(text: str) -> str:
    """`text` with every letter that LaTeX reads as a command made plain."""
    return re.sub(
        "|".join(map(re.escape, SPECIAL)), lambda found: SPECIAL[found[0]], " ".join(text.split())
    )


def _column_groups(table: Table) -> list[str]:
    if not any(column.group for column in table.columns):
        return []
    cells, rules = [""] * len(first_titles(table)), []
    position = 1 + len(cells)  # LaTeX counts columns from 1
    for name, members in itertools.groupby(table.columns, key=lambda column: column.group):
        count = len(list(members))
        cells.append(rf"\multicolumn{{{count}}}{{c}}{{{escaped(name)}}}")
        rules.append(rf"\cmidrule(lr){{{position}-{position + count - 1}}}")
        position += count
    return [_line(*cells), " ".join(rules)]


def _title(column: Column) -> str:
    unit = f" ({column.unit})" if column.unit else ""
    return f"{escaped(column.title + unit)} {ARROWS[column.better]}"


def _row(table: Table, row: Row, verdicts: bool) -> str:
    cells = []
    for column in table.columns:
        cell = row.cells.get(column.key)
        if cell is None:
            cells.append("--")
            continue
        said = escaped(cell.text(table.published.decimals(column.key)))
        cells.append(rf"\textbf{{{said}}}" if cell.best else said)
    words = [escaped(table.verdict_words(row))] if verdicts else []
    return _line(*map(escaped, first_words(table, row)), *cells, *words)


def _line(*cells: str) -> str:
    return " & ".join(cells) + r" \\"
