"""Showing a motion where the person is: in the notebook, or as a file to open."""

import tempfile
from pathlib import Path
from typing import Any

from motiongpt.export.saving import save_motion
from motiongpt.motion.sequence import MotionSequence


def show_motion(motion: MotionSequence) -> Any:
    """The animated picture in a notebook; elsewhere its path, which is printed too."""
    folder = Path(tempfile.mkdtemp(prefix="motiongpt-"))
    if not _in_notebook():
        path = save_motion(motion, folder / "motion.webp")
        print(path)
        return path
    from IPython.display import Image

    path = save_motion(motion, folder / "motion.gif")
    return Image(data=path.read_bytes(), format="gif")


def _in_notebook() -> bool:
    """Whether a kernel runs this code, which can show pictures; a terminal's IPython can't."""
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return False
    shell = get_ipython()
    return shell is not None and hasattr(shell, "kernel")
