"""A page from disk in the browser, and what is seen of it."""

import io
from contextlib import contextmanager

import numpy as np
from PIL import Image

PATIENCE = 180_000  # milliseconds; software draws slowly on a busy machine
EVIL = '</script><script>window.ran = 1</script><img src=x onerror="window.ran = 1">'


@contextmanager
def opened(chromium, path, **looks):
    """The page, and what it said and asked for."""
    context = chromium.new_context(viewport={"width": 500, "height": 560}, **looks)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.said, page.asked = [], []
    page.on("console", lambda message: page.said.append(message.text))
    page.on("pageerror", lambda error: page.said.append(str(error)))
    page.on("request", lambda request: page.asked.append(request.url))
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-ready=true]")
    yield page
    context.close()


def check_quiet(page):
    """The page said nothing, asked for nothing but itself, and ran nobody's words."""
    assert page.said == []
    assert all(url.startswith(("file:", "blob:")) for url in page.asked)
    assert page.evaluate("window.ran") is None


def picture(page, index=0):
    """(H, W, 3) of a canvas."""
    page.wait_for_timeout(300)  # a frame is drawn after the event that asks for it
    shot = page.locator("canvas").nth(index).screenshot()
    return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int)


def differs(one, other):
    """Share of the pixels that are of another colour."""
    return (np.abs(one - other).max(-1) > 12).mean()


def wait_until(page, expression):
    """Playwright's own waiting evaluates text within the page, which the page's policy forbids."""
    for _ in range(PATIENCE // 200):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(200)
    raise AssertionError(f"never: {expression}")
