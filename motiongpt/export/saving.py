"""Writing a motion to a file, by the file's ending."""

from pathlib import Path
from typing import Any

from motiongpt.export.known import format_of
from motiongpt.export.preparing import prepared
from motiongpt.motion.sequence import MotionSequence


def save_motion(
    motion: MotionSequence, path: Path, fps: float | None = None, **options: Any
) -> Path:
    """Write a motion; the file is there whole or not at all.

    Args:
        fps: frames per second of the file; the motion's if None.
        options: those of the format (`motiongpt export --help` lists them).

    Returns:
        The file, its ending in lower case.

    Raises:
        UserError: another ending, an option that the format does not have, or a motion that does
            not fit it.
    """
    chosen = format_of(path).of(options)
    path = path.with_suffix(path.suffix.lower())
    chosen.write(prepared(motion, fps), path)
    return path
