"""The page of a codebook in a real browser: codes move, are found, chosen, and clips are read."""

import pytest

from motiongpt.codebook.learnt import learnt_by
from motiongpt.codebook.opening import OpenedCodec
from motiongpt.codebook.page import codebook_page
from tests.browser.pages import check_quiet, differs, opened, picture, wait_until
from tests.unit.codebook_parts import EVIL, small_store
from tests.unit.momask_parts import small_codec as residual_codec

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(chromium, tmp_path_factory):
    folder = tmp_path_factory.mktemp("codebook")
    store = small_store(folder / "store")
    learnt = learnt_by(OpenedCodec(residual_codec(), store, "a run"), log=str)
    path = folder / "page.html"
    path.write_text(codebook_page(learnt, f"Codebook {EVIL}"))
    with opened(chromium, path) as found:
        yield found
        check_quiet(found)


def test_figures_move_turn_and_stop(page):
    page.click("#play")
    clip = page.locator(".clip canvas").first
    clip.scroll_into_view_if_needed()
    index = page.evaluate(
        "[...document.querySelectorAll('canvas')].indexOf(document.querySelector('.clip canvas'))"
    )
    still = picture(page, index)
    assert differs(still, picture(page, index)) == 0
    box = clip.bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 160, box["y"] + 60, steps=4)
    page.mouse.up()
    turned = picture(page, index)
    assert differs(still, turned) > 0.01
    page.click("#play")
    wait_until(page, "document.getElementById('play').textContent === 'pause'")
    page.wait_for_timeout(700)
    assert differs(turned, picture(page, index)) > 0.001


def test_codes_are_found_chosen_and_of_several_codebooks(page):
    shown = page.locator("#codes .code").count()
    assert shown > 1 and page.inner_text("#count") == f"{shown} codes"
    code = page.locator("#codes .code b").first.inner_text()
    page.fill("#search", code)
    assert page.locator("#codes .code").count() == 1
    page.locator("#codes .code .line").click()
    assert page.inner_text("#chosen h2") == f"Code {code} of codebook 1"
    page.fill("#search", "no such word")
    assert page.locator("#codes .code").count() == 0
    page.fill("#search", "")
    page.select_option("#book", "2")
    wait_until(page, "document.querySelector('#chosen h2').textContent.endsWith('codebook 3')")
    page.select_option("#order", "near")
    assert page.locator("#codes .code").first.get_attribute("aria-pressed") == "true"


def test_a_token_of_a_clip_leads_to_its_code(page):
    rows = page.locator(".clip").first.locator(".tokens")
    assert rows.count() == 3
    cell = rows.nth(1).locator("button").first
    code = cell.inner_text()
    cell.click()
    wait_until(page, "document.querySelector('#chosen h2').textContent.endsWith('codebook 2')")
    assert page.inner_text("#chosen h2") == f"Code {code} of codebook 2"


def test_it_fits_a_telephone(page):
    page.set_viewport_size({"width": 360, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert EVIL in page.inner_text("h1") and EVIL in page.locator(".clip p").first.inner_text()
