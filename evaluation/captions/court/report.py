"""The files that a comparison leaves in a folder."""

from pathlib import Path

from evaluation.captions.court.csv_file import csv_text
from evaluation.captions.court.page import html_page
from evaluation.captions.court.results import Court
from evaluation.captions.court.tables import markdown
from motiongpt.files import write_json, write_text

RESULTS, TABLE, CSV, PAGE = "results.json", "table.md", "table.csv", "page.html"


def write_court(court: Court, folder: Path) -> list[Path]:
    """Write `results.json`, `table.md`, `table.csv` and `page.html`.

    Raises:
        OSError: the folder can't be written.
    """
    texts = {TABLE: markdown(court), CSV: csv_text(court), PAGE: html_page(court)}
    write_json(folder / RESULTS, court.as_json())
    for name, text in texts.items():
        write_text(folder / name, text)
    return [folder / name for name in (RESULTS, *texts)]
