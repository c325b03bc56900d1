"""The viewer's page in a real browser: it plays, asks no other host, and runs no caption."""

import numpy as np
import pytest

from motiongpt import Motion
from motiongpt.data.synthetic import SyntheticSource
from motiongpt.render.shown import Shown
from motiongpt.viewer.page import Choices, viewer_page, write_shared_page
from tests.browser.pages import EVIL, check_quiet, differs, opened, picture, wait_until

pytestmark = pytest.mark.browser

STILL = Choices(play=False)


@pytest.fixture(scope="module")
def motions():
    clips = list(SyntheticSource(clips=2, seed=3).clips())
    return [Motion.from_joints(np.asarray(clip.joints, np.float32)[:40]) for clip in clips]


def seek(page, seconds):
    page.evaluate(
        "(to) => { const scrub = document.getElementById('scrub'); scrub.value = to;"
        "scrub.dispatchEvent(new Event('input')); }",
        seconds,
    )


@pytest.fixture(scope="module")
def alone(chromium, motions, tmp_path_factory):
    """The page of one motion that is not played, at its start."""
    path = tmp_path_factory.mktemp("page") / "one.html"
    path.write_text(viewer_page([Shown(motions[0], caption=EVIL)], EVIL, STILL))
    with opened(chromium, path) as page:
        yield page


@pytest.fixture(autouse=True)
def quiet(request):
    """Whatever a test did, the page said nothing and asked for nothing but itself."""
    yield
    if "alone" in request.fixturenames:
        check_quiet(request.getfixturevalue("alone"))


def test_words_are_words(alone):
    assert alone.inner_text(".caption") == EVIL
    assert alone.inner_text("h1") == EVIL and alone.title() == EVIL


def test_scrubbing_changes_the_picture_and_comes_back(alone):
    seek(alone, 0)
    start = picture(alone)
    assert differs(start, picture(alone)) == 0
    seek(alone, 1.5)
    assert differs(start, picture(alone)) > 0.005
    seek(alone, 0)
    assert differs(start, picture(alone)) < 0.001


def test_space_plays_and_arrows_step(alone):
    seek(alone, 0)
    start = picture(alone)
    alone.keyboard.press(" ")
    wait_until(alone, "Number(document.getElementById('scrub').value) > 0.6")
    alone.keyboard.press(" ")
    assert differs(start, picture(alone)) > 0.005
    alone.keyboard.press("Home")
    alone.keyboard.press("ArrowRight")
    assert alone.inner_text("#time").startswith("0.05 /")


def test_mesh_or_sticks(alone):
    seek(alone, 0)
    mesh = picture(alone)
    alone.click("#sticks")
    assert differs(mesh, picture(alone)) > 0.005
    alone.click("#mesh")
    assert differs(mesh, picture(alone)) < 0.001


def test_the_view_turns_and_comes_back(alone):
    before = picture(alone)
    box = alone.locator("canvas").bounding_box()
    alone.mouse.move(box["x"] + 200, box["y"] + 100)
    alone.mouse.down()
    alone.mouse.move(box["x"] + 320, box["y"] + 120, steps=4)
    alone.mouse.up()
    assert differs(before, picture(alone)) > 0.02
    alone.click("#reset")
    assert differs(before, picture(alone)) < 0.001


def test_left_is_blue_and_on_our_right_when_someone_faces_us(chromium, tmp_path):
    clip = next(iter(SyntheticSource(clips=1, seed=3).clips()))
    pose = Motion.from_features(Motion.from_joints(np.asarray(clip.joints)).features[:1])
    path = tmp_path / "pose.html"
    choices = Choices(mesh=False, contacts=False, play=False)
    path.write_text(viewer_page([Shown(pose)], "faces +Z", choices))
    with opened(chromium, path) as page:
        red, _, blue = np.moveaxis(picture(page), -1, 0)
        columns = np.arange(red.shape[1])
        left = ((blue - red) > 60).sum(0)
        right = ((red - blue) > 60).sum(0)
        assert left.sum() > 200 and right.sum() > 200
        assert np.average(columns, weights=left) > np.average(columns, weights=right) + 5


def test_side_by_side_on_a_telephone_with_shared_files(chromium, motions, tmp_path):
    path = tmp_path / "pages" / "two.html"
    shown = [
        Shown(motions[0], "real", "شخص يمشي"),
        Shown(motions[1][:20].at(30), "generated", "一个人走", given=[(0, 10)]),
    ]
    write_shared_page(path, shown, "two", Choices(mesh=False, play=False))
    with opened(chromium, path, color_scheme="dark") as page:
        page.set_viewport_size({"width": 360, "height": 640})
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert page.locator(".clip").count() == 2
        assert page.locator(".name").all_inner_texts() == ["real", "generated"]
        assert page.locator(".state").all_inner_texts() == ["", "given"]
        seek(page, 1.9)
        wait_until(page, "document.querySelectorAll('.state')[1].textContent === 'ended'")
        assert picture(page).mean() < 100  # dark
        assert page.said == []
        assert all(url.startswith("file:") for url in page.asked)
