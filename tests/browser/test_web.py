"""The page in a real browser: it makes, describes, fills, compares and gives files."""

import socket

import numpy as np
import pytest

from motiongpt import Motion
from motiongpt.data.synthetic import SyntheticSource
from motiongpt.published.small import FOLDER
from motiongpt.web.limits import Limits
from motiongpt.web.serving import Address, running

pytestmark = pytest.mark.browser

PATIENCE = 240_000  # milliseconds; software draws slowly on a busy machine
MESSAGES = "#chat [data-testid=user], #chat [data-testid=bot]"
SENTENCE = "the person jumps into the air 3 times"
EVIL = '<script>window.ran = 1</script><img src=x onerror="window.ran = 1">'


@pytest.fixture(scope="module")
def address():
    pytest.importorskip("gradio", reason="needs pip install '.[web]'")
    if not FOLDER.is_dir():
        pytest.skip("the small model was not made yet: python -m launch.small_model")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    models = [str(FOLDER), str(FOLDER)]
    with running(models, Address(port=port), Limits(seconds=240), device="cpu") as url:
        yield url


@pytest.fixture
def page(chromium, address):
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE)
    found = context.new_page()
    wrong, hosts = [], set()
    found.on("console", lambda one: wrong.append(_where(one)) if one.type == "error" else None)
    found.on("pageerror", lambda error: wrong.append(str(error)))
    found.on("request", lambda one: hosts.add(one.url.split("/")[2]))
    found.goto(address)
    found.wait_for_selector("#words textarea")
    yield found
    context.close()
    assert wrong == []
    assert hosts <= {address.split("/")[2], ""}  # "": blobs and data of the page itself


def _where(message):
    return f"{message.text} {message.location.get('url')}"


def messages(page):
    return page.locator(MESSAGES).all_inner_texts()


def wait_for_messages(page, count):
    page.wait_for_function(
        "([what, count]) => document.querySelectorAll(what).length >= count", arg=[MESSAGES, count]
    )


def say(page, sentence):
    before = len(messages(page))
    page.fill("#words textarea", sentence)
    page.keyboard.press("Enter")
    wait_for_messages(page, before + 2)
    return messages(page)[-1]


def figures(page):
    """Clips that the viewer shows, once they are drawn."""
    frame = page.frame_locator("iframe.stage")
    frame.locator("html[data-ready=true]").wait_for(state="attached")
    return frame.locator(".clip").count()


def use_one_model(page):
    page.locator("#models input").nth(1).uncheck()


@pytest.fixture(scope="module")
def motion():
    (clip,) = SyntheticSource(clips=1, seed=3).clips()
    return Motion.from_joints(np.asarray(clip.joints, np.float32)[:60])


def test_two_models_make_motion_of_one_sentence_and_every_file_can_be_read(page, tmp_path):
    say(page, SENTENCE)
    assert figures(page) == 4
    assert "Understood" in page.inner_text("#notes")
    for ending in ("glb", "bvh", "mp4", "npy"):
        with page.expect_download() as waiting:
            page.click(f"#downloads a[data-ending='.{ending}']")
        path = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(path)
        assert path.suffix == f".{ending}"
        if ending in ("bvh", "npy"):
            assert Motion.from_file(path).seconds > 1
        else:
            assert path.read_bytes()[:8].strip(b"\0")[:4] in (b"glTF", b"ftyp", b" fty", b"\x20fty")


def test_an_uploaded_bvh_is_described_goes_on_and_gets_a_new_middle(page, motion, tmp_path):
    use_one_model(page)
    path = motion.save(tmp_path / "mine.bvh")
    page.set_input_files("#upload input[type=file], input[type=file]", path)
    wait_for_messages(page, 2)
    assert "3.0 s" in messages(page)[-1]
    assert figures(page) == 1
    for button, words in (("#describe", ""), ("#go-on", "It goes on"), ("#fill", "middle is new")):
        before = len(messages(page))
        page.click(button)
        wait_for_messages(page, before + 2)
        assert words in messages(page)[-1]
        assert "did not work" not in messages(page)[-1]


def test_script_in_a_sentence_is_text_and_what_no_caption_has_is_warned_of(page):
    use_one_model(page)
    say(page, f"a person walks {EVIL}")
    assert figures(page) == 2
    assert EVIL in messages(page)[-2]
    assert page.evaluate("window.ran") is None
    assert page.frames[-1].evaluate("window.ran") is None
    assert "no training caption" in page.inner_text("#notes .doubt")


def test_a_hostile_file_is_one_line_and_the_page_lives(page, tmp_path):
    use_one_model(page)
    path = tmp_path / "pickled.npy"
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    page.set_input_files("input[type=file]", path)
    wait_for_messages(page, 2)
    assert "pickled objects" in messages(page)[-1]
    assert "did not work" not in say(page, SENTENCE)
