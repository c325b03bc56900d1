"""The page of an evaluation in a real browser: clips are filtered, chosen and played, tables sort."""

import pytest

from tests.browser.pages import check_quiet, differs, opened, picture, wait_until
from tests.unit.result_pages import EVIL, outputs_of_two_tasks, written

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(chromium, tmp_path_factory):
    folder = tmp_path_factory.mktemp("results") / "0001"
    written(folder, outputs_of_two_tasks())
    with opened(chromium, folder / "page.html", color_scheme="dark") as found:
        found.click("#play")
        yield found
        check_quiet(found)


def first(page):
    """Name of the clip on top of the list."""
    return page.locator("#list .faint").first.inner_text().split(" · ")[0]


def test_the_worst_come_first_and_are_shown(page):
    assert page.locator("#clips .clip").count() == 3
    before = picture(page, 1)
    page.select_option("#order", "worst")
    wait_until(page, "location.hash.endsWith('clip11')")
    assert first(page) == "clip11" and "joint distance 0.191 m" in page.inner_text("#list")
    assert differs(before, picture(page, 1)) > 0.01
    page.click("#next")
    wait_until(page, "location.hash.endsWith('clip10')")
    page.select_option("#order", "best")
    wait_until(page, "location.hash.endsWith('clip0')")


def test_clips_are_found_by_action_and_words(page):
    page.select_option("#action", "action1")
    assert page.inner_text("#count") == "4 clips"
    page.fill("#search", "clip7")
    assert page.inner_text("#count") == "1 clips"
    page.fill("#search", "")
    page.select_option("#action", "")
    assert page.inner_text("#count") == "12 clips"


def test_a_sentence_stands_beside_its_motion(page):
    page.select_option("#task", "motion_to_text")
    wait_until(page, "location.hash.startsWith('#motion_to_text')")
    assert "a sentence" in page.inner_text("#sentences")
    assert page.locator("#clips .clip").count() == 1
    page.select_option("#task", "prediction")
    wait_until(page, "document.querySelectorAll('#clips .clip').length === 3")
    assert page.locator("details.numbers[open] summary").inner_text() == "prediction"
    assert EVIL in page.inner_text("#caption")


def test_tables_sort(page):
    names = "[...document.querySelectorAll('tbody th')].map((cell) => cell.textContent)"
    given = page.evaluate(names)
    head = page.locator("details.numbers[open] thead button").nth(1)
    head.click()
    assert page.evaluate(names) == ["fid ↓", "ade (m) ↓"] != given
    head.click()
    assert page.evaluate(names) == ["ade (m) ↓", "fid ↓"]


def test_it_fits_a_telephone(page):
    page.set_viewport_size({"width": 360, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert picture(page).mean() < 110  # dark
