"""What strangers called their runs is text in every table, page and file that we write."""

import csv
import io
import re

import pytest

from tests.unit.hostile.harness import run
from tests.unit.results_files import number, write

NAMES = {
    "script": "<script>alert(1)</script>",
    "image": "<img src=x onerror=alert(1)>",
    "entity": "&lt;script&gt;",
    "pipe": "a | b",
    "line": "a\n# b",
    "tick": "a ` b",
    "link": "[a](javascript:alert(1))",
    "formula": '=HYPERLINK("http://x","y")',
    "plus": "+1+cmd|' /C calc'!A0",
    "minus": "-2+3",
    "at": "@SUM(1)",
    "tab": "\t=1+1",
    "return": "\r=1+1",
    "quotes": '"><u>',
    "attribute": "' onmouseover='alert(1)",
}


def board(tmp_path, names, kind):
    for place, name in enumerate(names):
        write(
            tmp_path / f"runs/evaluate/{place}",
            number(),
            number(row="real", value=0.1),
            number(row=name, value=-0.5),
            method__name=name,
            method__facts__backbone=name,
            method__facts__tokenizer=name,
            experiment__group=name,
            data__name=name,
            protocol__name=name,
            evaluator__name=name,
        )
    ran = run(
        [
            "leaderboard",
            "--runs",
            str(tmp_path),
            "--format",
            kind,
            "--output",
            str(tmp_path / f"b.{kind}"),
        ]
    )
    assert ran.status == 0, ran
    return (tmp_path / f"b.{kind}").read_bytes().decode()


@pytest.mark.parametrize("kind", ["html", "markdown"])
def test_nothing_in_a_page_or_a_table_is_markup(kind, tmp_path):
    text = board(tmp_path, NAMES.values(), kind)
    assert "<script>alert" not in text and "<img src=x" not in text and "<u>" not in text
    if kind == "markdown":
        no_link = re.sub(r"`[^`]*`", "", text.replace("\\`", "").replace("\\]", ""))
        assert "](javascript" not in no_link  # neither escaped nor in code
        heads = [line for line in text.split("\n") if line.startswith("# ")]
        assert heads == ["# Leaderboard"], heads
        rows = [line for line in text.split("\n") if line.startswith("|")]
        assert len(rows) > len(NAMES)


def test_no_cell_of_a_csv_is_a_formula(tmp_path):
    text = board(tmp_path, NAMES.values(), "csv")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(rows) >= len(NAMES)
    for row in rows:
        for key, cell in row.items():
            assert cell is not None
            live = cell.lstrip(" ")[:1] in ("=", "+", "-", "@", "\t", "\r")
            assert not live or key in ("value", "interval"), (key, cell)
            if key in ("value", "interval") and cell:
                float(cell)
