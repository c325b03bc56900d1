"""The leaderboard in a real browser: motion of several methods, and numbers that are chosen."""

from dataclasses import replace

import pytest

from evaluation.leaderboard.html_page import html_page
from tests.browser.pages import check_quiet, opened, picture, wait_until
from tests.unit.boards import board, numbers
from tests.unit.result_pages import ORIGIN, outputs_of_two_tasks, written
from tests.unit.results_files import write

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(chromium, tmp_path_factory):
    folder = tmp_path_factory.mktemp("board")
    for name, method, factor in (("a", "mdm", 1.0), ("b", "lookup", 0.5)):
        run = folder / "runs/evaluate" / name
        origin = replace(ORIGIN, method={"name": method, "facts": {}})
        written(run, outputs_of_two_tasks(), origin=origin)
        own = [*numbers(factor=factor), *numbers("chance")]
        write(run, *own, signature=name * 16, method__name=method)
    made = board(folder, tables=("t2m", "motion_to_text"))
    (folder / "board.html").write_text(html_page(made, folder))
    with opened(chromium, folder / "board.html", color_scheme="dark") as found:
        found.click("#play")
        yield found
        check_quiet(found)


def heads(page):
    shown = page.locator("#table-t2m table.sortable thead tr:last-child th:visible")
    return [one.strip() for one in shown.all_inner_texts()]


def test_methods_stand_beside_the_real_clip(page):
    names = page.locator("#clips .name").all_inner_texts()
    assert names[0] == "real" and sorted(names[1:]) == ["lookup", "mdm"]
    assert picture(page, 1).std() > 5, "something is drawn"
    page.click("#next")
    wait_until(page, "!document.getElementById('before').disabled")
    page.select_option("#task", "motion_to_text/1")
    wait_until(page, "document.querySelectorAll('#sentences h3').length >= 2")
    assert "mdm wrote" in page.inner_text("#sentences")
    assert page.input_value("#board-task") == "motion_to_text"


def test_few_numbers_are_shown_until_more_are_asked_for(page):
    page.select_option("#board-task", "text_to_motion")
    assert page.locator("#tables details.table[open]").count() == 1
    assert heads(page)[2:] == ["R@1 ↑", "R@3 ↑", "FID ↓", "Diversity →"]
    page.select_option("#board-metric", "fid")
    assert heads(page)[2:] == ["FID ↓"]
    page.select_option("#board-metric", "all")
    assert len(heads(page)) > 6
    page.check("#board-verdict")
    assert heads(page)[-1] == "Verdict"
    page.select_option("#board-metric", "main")


def test_rows_of_papers_and_baselines_can_be_left_away(page):
    rows = page.locator("#table-t2m tbody tr:not(.group):visible")
    every = rows.count()
    page.uncheck("#board-baseline")
    without = rows.count()
    page.uncheck("#board-published")
    assert every > without > rows.count() == 2
    page.check("#board-published")
    page.check("#board-baseline")
    assert rows.count() == every


def test_a_link_unfolds_what_it_leads_to(page):
    link = page.locator("#table-t2m tr.own .origin a[href^='#run-']").first
    name = link.get_attribute("href")
    link.click()
    wait_until(page, "document.getElementById('runs').open")
    assert page.locator(name).is_visible()
    assert page.locator("#table-t2m tr.own a[href$='page.html']").count() >= 2


def test_it_fits_a_telephone(page):
    page.set_viewport_size({"width": 360, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
