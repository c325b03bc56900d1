"""One self-contained HTML page: a table on top, then clips side by side for a person to judge."""

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from motiongpt.files import write_text

STYLE = """
:root { color-scheme: light dark; --ink: #1e293b; --faint: #64748b; --paper: #ffffff;
  --card: #f8fafc; --line: #e2e8f0; --accent: #2563eb; }
@media (prefers-color-scheme: dark) { :root { --ink: #e2e8f0; --faint: #94a3b8; --paper: #0f172a;
  --card: #1e293b; --line: #334155; --accent: #60a5fa; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
h1 { font-size: 1.8rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .25rem; padding-top: 1.5rem;
  border-top: 1px solid var(--line); }
p.note { color: var(--faint); margin: 0 0 1rem; max-width: 46rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .4rem .8rem; border-bottom: 1px solid var(--line); text-align: left; }
th { font-weight: 600; white-space: nowrap; }
td.number { text-align: right; white-space: nowrap; }
article { margin: 1rem 0 1.5rem; }
article > h3 { font-size: 1rem; font-weight: 600; margin: 0 0 .5rem; }
.cells { display: flex; flex-wrap: wrap; gap: 1rem; }
figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: .5rem;
  padding: .5rem; max-width: 100%; }
figure.words { flex: 1 1 16rem; }
figcaption { font-size: .85rem; color: var(--faint); margin-bottom: .4rem; }
img { display: block; max-width: 100%; height: auto; border-radius: .25rem; }
figure p { margin: .25rem 0; white-space: pre-line; }
"""


@dataclass(frozen=True)
class Cell:
    """One thing beside others: a picture, words, or both."""

    label: str
    image: Path | None = None
    text: str = ""


@dataclass(frozen=True)
class Row:
    """Things to be compared, under one caption."""

    caption: str
    cells: Sequence[Cell]


@dataclass(frozen=True)
class Section:
    """One task."""

    title: str
    note: str
    rows: Sequence[Row]


def write_page(
    path: Path,
    title: str,
    summary: str,
    table: tuple[Sequence[str], Sequence[Sequence[str]]],
    sections: Sequence[Section],
) -> None:
    """Write the page; pictures are embedded, so the file can be sent around alone.

    Args:
        table: header and rows, shown on top.

    Raises:
        FileNotFoundError: a cell names a picture that is not there.
    """
    parts = [
        f"<h1>{html.escape(title)}</h1>",
        f'<p class="note">{html.escape(summary)}</p>',
        _table(*table),
        *map(_section, sections),
    ]
    write_text(
        Path(path),
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{STYLE}</style></head>\n"
        f"<body><main>{''.join(parts)}</main></body></html>\n",
    )


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in header)
    body = "".join("<tr>" + "".join(map(_table_cell, row)) + "</tr>" for row in rows)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="scroll">{table}</div>'


def _table_cell(text: str) -> str:
    number = text.replace(".", "", 1).replace("-", "", 1).isdigit()
    return f"<td{' class=number' if number else ''}>{html.escape(text)}</td>"


def _section(section: Section) -> str:
    rows = "".join(
        f'<article><h3>{html.escape(row.caption)}</h3><div class="cells">'
        f"{''.join(map(_cell, row.cells))}</div></article>"
        for row in section.rows
    )
    return (
        f"<section><h2>{html.escape(section.title)}</h2>"
        f'<p class="note">{html.escape(section.note)}</p>{rows}</section>'
    )


def _cell(cell: Cell) -> str:
    caption = f"<figcaption>{html.escape(cell.label)}</figcaption>"
    words = f"<p>{html.escape(cell.text)}</p>" if cell.text else ""
    if cell.image is None:
        return f'<figure class="words">{caption}{words}</figure>'
    data = base64.b64encode(Path(cell.image).read_bytes()).decode()
    kind = Path(cell.image).suffix.lstrip(".")
    image = (
        f'<img alt="{html.escape(cell.label, quote=True)}" src="data:image/{kind};base64,{data}">'
    )
    return f"<figure>{caption}{image}{words}</figure>"
