"""The leaderboard as Markdown."""

from evaluation.escaping import code, escaped_markdown
from evaluation.leaderboard.board import Board
from evaluation.leaderboard.runs import run_facts
from evaluation.leaderboard.table import Table
from evaluation.leaderboard.words import (
    LEGEND,
    SPREADS,
    group_title,
    has_verdicts,
    head,
    marks,
    row_notes,
    row_words,
    spread_rows,
)


def markdown(board: Board) -> str:
    """All tables, then the runs of ours with everything that their numbers depend on."""
    parts = ["# Leaderboard", LEGEND + ". Best of a group in bold."]
    parts += [markdown_table(table) for table in board.tables]
    if board.runs:
        parts.append("## Runs")
    for run in board.runs:
        facts = [f"- {name}: {escaped_markdown(value)}" for name, value in run_facts(run).items()]
        title = f"### {escaped_markdown(run.method.name)} `{code(run.signature)}`"
        parts.append("\n".join([title, "", *facts]))
    if board.left_out:
        parts.append(
            "\n".join(
                ["## Left out", "", *(f"- {escaped_markdown(line)}" for line in board.left_out)]
            )
        )
    return "\n\n".join(parts) + "\n"


def markdown_table(table: Table) -> str:
    """One table under its title; each group begins with a row that says how it was made."""
    verdicts = has_verdicts(table)
    title = [*head(table, verdicts), "from"]
    lines = [_line(title), "|" + " --- |" * len(title)]
    for group in table.groups:
        lines.append(
            _line([f"**{escaped_markdown(group_title(group))}**", *[""] * (len(title) - 1)])
        )
        for row in group.rows:
            origin = f"`{code(row.source)}`" if row.run else escaped_markdown(row.source)
            if row.run and row.note:
                origin += f" ({escaped_markdown(row.note)})"
            words = row_words(table, row, verdicts, best="**{}**")
            lines.append(_line([*map(escaped_markdown, words), origin]))
        if group.ranking:
            said = f"*{escaped_markdown(group.ranking)}*"
            lines.append(_line([said, *[""] * (len(title) - 1)]))
    note = [table.published.note] if table.published.note else []
    below = [*table.published.facts, *marks(table), *map(escaped_markdown, row_notes(table))]
    texts = [f"## {table.published.title}", *note, "\n".join(lines), _spreads(table)]
    texts.append("  \n".join(below))
    return "\n\n".join(text for text in texts if text)


def _spreads(table: Table) -> str:
    """Training seeds and replications, each in a column of its own; empty without several seeds."""
    rows = spread_rows(table)
    if not rows:
        return ""
    lines = [_line(list(SPREADS)), "|" + " --- |" * len(SPREADS)]
    return "\n".join([*lines, *(_line(list(map(escaped_markdown, row))) for row in rows)])


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
