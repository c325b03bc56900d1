"""The leaderboard's page: complete in itself, and usable by keyboard."""

import re
from html.parser import HTMLParser

import pytest

from evaluation.leaderboard.html_page import html_page
from tests.unit.boards import board, mixed_runs
from tests.unit.results_files import write


@pytest.fixture
def mixed(tmp_path):
    return mixed_runs(tmp_path)


VOID = {"meta", "link", "img", "br", "line", "circle", "path", "polygon"}


class Page(HTMLParser):
    """Collects tags, and checks that they close in order."""

    def __init__(self):
        super().__init__()
        self.tags, self.open, self.texts = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag not in VOID:
            closed = self.open.pop()
            if closed == "p" and tag != "p":
                raise AssertionError(f"{closed} closed by {tag}")
            assert closed == tag

    def handle_data(self, data):
        self.texts.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def page(mixed):
    write(mixed / "runs/evaluate/broken", schema=3)
    parsed = Page()
    parsed.source = html_page(board(mixed))
    parsed.feed(parsed.source)
    parsed.close()
    assert parsed.open == []
    return parsed


def test_the_page_needs_nothing_from_elsewhere(page):
    assert not re.search(r"https?://|@import|url\(|src=", page.source)
    assert not page.all("link") and not page.all("img") and not page.all("iframe")
    assert all(a["href"].startswith("#") for a in page.all("a"))
    anchors = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    assert {a["href"][1:] for a in page.all("a")} <= anchors


def test_the_page_can_be_sorted_by_keyboard_and_every_row_has_values(page):
    heads = [head for head in page.all("th") if "aria-sort" in head]
    buttons = [button for button in page.all("button") if "data-column" in button]
    assert len(heads) == len(buttons) > 50 and all(b["type"] == "button" for b in buttons)
    assert all("data-value" in cell for cell in page.all("td"))
    assert "style" in page.source and "prefers-color-scheme: dark" in page.source


def test_the_page_says_where_every_row_of_ours_comes_from(page):
    text = " ".join(page.texts)
    for words in ("b" * 16, "data fingerprint", "1234, 1235", "bandai_namco"):
        assert words in text
    assert "≠ not comparable" in text and "schema: 2 was expected" in text
    assert "&lt;of&gt;" in page.source and "<of>" not in page.source


def test_ids_are_unique(page):
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
