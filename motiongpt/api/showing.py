"""Showing a motion where the person is: in the notebook, or in the browser."""

import html
import os
import sys
import tempfile
import webbrowser
from pathlib import Path
from typing import Any

from motiongpt.export.formats.html import Html
from motiongpt.export.preparing import prepared
from motiongpt.export.saving import save_motion
from motiongpt.motion.sequence import MotionSequence
from motiongpt.render.shown import Shown

HEIGHT = 560  # pixels of the page in a notebook


def show_motion(motion: MotionSequence) -> Any:
    """The page within a notebook; elsewhere its path, printed, and the page in the browser."""
    if not _in_notebook():
        path = save_motion(motion, Path(tempfile.mkdtemp(prefix="motiongpt-"), "motion.html"))
        print(path)
        if _has_screen():
            webbrowser.open(path.as_uri())
        return path
    from IPython.display import HTML

    page = Html().content([Shown(prepared(motion, None, Html.rigid, ()))])
    frame = f'sandbox="allow-scripts" width="100%" height="{HEIGHT}" style="border: 0"'
    return HTML(f'<div><iframe {frame} srcdoc="{html.escape(page, quote=True)}"></iframe></div>')


def _has_screen() -> bool:
    """Whether a browser has a window to open; in a terminal it would take the keyboard over."""
    if sys.platform in ("darwin", "win32"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def _in_notebook() -> bool:
    """Whether a kernel runs this code, which can show pictures; a terminal's IPython can't."""
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return False
    shell = get_ipython()
    return shell is not None and hasattr(shell, "kernel")
