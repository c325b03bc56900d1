"""Texts of unknown origin in the tables that we write: what they say stays words."""

from typing import TypeVar

from motiongpt.printable import printable

MARKUP = {"\\": "\\\\", "&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "\\|", "`": "\\`"}
MARKUP |= {"[": "\\[", "]": "\\]"}  # of links
BEGIN_FORMULA = ("=", "+", "-", "@", "\t")

Cell = TypeVar("Cell")


def escaped_markdown(text: str) -> str:
    """`text` as one line of words: no HTML, link, code or border of a cell.

    `*` and `_` may mark it as bold or slanted, which harms nobody and which tables use.
    """
    return printable("".join(MARKUP.get(one, one) for one in " ".join(text.splitlines())))


def code(text: str) -> str:
    """`text` as it can stand between backticks in a cell: nothing can be escaped there."""
    return printable(" ".join(text.splitlines())).replace("`", "'").replace("|", "¦")


def csv_cell(value: Cell) -> Cell | str:
    """`value`, or, of a text that a spreadsheet would run as a formula, the same as a text.

    The leading apostrophe is what spreadsheets themselves mark a text with; numbers stay numbers.
    """
    if not isinstance(value, str):
        return value
    text = printable(value, keep="\t\n")  # csv leaves a lone return without quotes: a broken row
    if not text.lstrip(" ").startswith(BEGIN_FORMULA):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text
