"""The leaderboard's page: complete in itself, and usable by keyboard."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from evaluation.leaderboard.html_page import html_page, own_first
from evaluation.leaderboard.motions import MOST_CLIPS, shared_motions
from evaluation.replications.results import REAL
from tests.unit.boards import board, mixed_runs
from tests.unit.result_pages import EVIL, ORIGIN, outputs_of_two_tasks, written
from tests.unit.results_files import number, write


@pytest.fixture
def mixed(tmp_path):
    return mixed_runs(tmp_path)


VOID = {"input", "meta", "link", "img", "br", "line", "circle", "path", "polygon"}


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
    buttons = page.all("button")
    assert len(heads) == len(buttons) > 50 and all(b["type"] == "button" for b in buttons)
    assert all("data-value" in cell for cell in page.all("td"))
    assert "style" in page.source and "prefers-color-scheme: dark" in page.source


def test_the_page_says_where_every_row_of_ours_comes_from(page):
    text = " ".join(page.texts)
    for words in ("b" * 16, "data fingerprint", "1234, 1235", "bandai_namco"):
        assert words in text
    assert "≠ not comparable" in text and "schema: 2 was expected" in text
    assert "&lt;of&gt;" in page.source and "<of>" not in page.source


def test_no_program_runs_but_the_pages_own(page):
    (policy,) = [meta["content"] for meta in page.all("meta") if "http-equiv" in meta]
    assert policy.startswith("default-src 'none'") and policy.count("'sha256-") == 1
    assert len(page.all("script")) == 1, "without motion there is no viewer"


def test_what_is_shown_first_is_a_few_numbers_of_each_task(page):
    """The page's script begins with those that have `data-main`."""
    heads = [head for head in page.all("th") if "data-task" in head]
    for task in {head["data-task"] for head in heads}:
        main = {
            head["data-metric"]
            for head in heads
            if head["data-task"] == task and "data-main" in head
        }
        assert 1 <= len(main) <= 4, task
    opened = [one for one in page.all("details") if one.get("class") == "table" and "open" in one]
    assert len(opened) == 1, "the other tables are folded"
    own = [int(one["data-own"]) for one in page.all("details") if one.get("class") == "table"]
    assert own == sorted(own, reverse=True) and own[0] > 0


def test_our_numbers_stand_ahead_of_the_published_ones_the_newest_first(mixed):
    for table in board(mixed).tables:
        groups = own_first(table)
        times = [{row.run.time for row in group.rows if row.run} or {""} for group in groups]
        latest = [max(some) for some in times]
        assert latest == sorted(latest, reverse=True) and len(groups) == len(table.groups)
        own = [any(row.kind == "own" for row in group.rows) for group in groups]
        assert own == sorted(own, reverse=True), table.published.title


@pytest.fixture
def with_pages(tmp_path):
    """Two methods asked the same, each with its page, and one that was asked something else."""
    for name, method, seeds in (("a", "mdm", [1]), ("b", "lookup", [1]), ("c", "mld", [2])):
        folder = tmp_path / "runs/evaluate" / name
        origin = replace(ORIGIN, method={"name": method, "facts": {}})
        written(folder, outputs_of_two_tasks(), origin=origin)
        other = {"protocol__name": "other"} if name == "c" else {}
        write(folder, number(), signature=name * 16, method__name=method, seeds=seeds, **other)
    return tmp_path


def test_motion_of_what_was_asked_the_same_stands_side_by_side(with_pages):
    runs = board(with_pages).runs
    data = shared_motions(runs)
    one = next(one for one in data["shown"] if one["task"] == "prediction/0")
    names = [data["clips"][index]["name"] for index in one["motions"]]
    assert names[0] == REAL and sorted(names[1:]) == ["lookup", "mdm"]
    said = next(one for one in data["shown"] if one["task"] == "motion_to_text/1")["said"]
    assert sorted(said) == [["lookup wrote", "a sentence"], ["mdm wrote", "a sentence"]]
    titles = [task["title"] for task in data["tasks"]]
    assert (
        titles[0] == "prediction · humanml3d, guo2022" and "prediction · humanml3d, other" in titles
    )
    of_task = [one for one in data["shown"] if one["task"] == "prediction/0"]
    assert len(of_task) == MOST_CLIPS and data["body"] and data["skeletons"]


def test_a_page_with_motion_stays_small_and_leads_to_the_runs_pages(with_pages, monkeypatch):
    made = board(with_pages)
    page = html_page(made, with_pages)
    assert len(page) < 20_000_000 and 'href="runs/evaluate/a/page.html"' in page
    assert EVIL not in page and "default-src 'none'" in page
    monkeypatch.setattr("evaluation.leaderboard.motions.LARGEST", 1)
    assert not shared_motions(made.runs)["shown"]


def test_a_page_of_another_form_gives_no_motion(with_pages):
    for page in with_pages.rglob("page.html"):
        page.write_text(page.read_text().replace('"said":', '"sentence":'))
    assert not shared_motions(board(with_pages).runs)["shown"]


def test_ids_are_unique(page):
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
