"""Writing a motion to a file, by the file's ending."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from motiongpt.export.known import format_of
from motiongpt.export.preparing import prepared
from motiongpt.motion.sequence import MotionSequence


def save_motion(
    motion: MotionSequence,
    path: Path,
    fps: float | None = None,
    rigid: bool | None = None,
    clean: str | Iterable[str] = (),
    **options: Any,
) -> Path:
    """Write a motion; the file is there whole or not at all.

    Args:
        fps: frames per second of the file; the motion's if None.
        rigid: bones of constant length; where None, all files have them but .npy and .npz, which
            are the motion itself.
        clean: "feet", "smooth" or both, also as "feet,smooth".
        options: those of the format (`motiongpt export --help` lists them).

    Returns:
        The file, its ending in lower case.

    Raises:
        UserError: another ending, an option that the format does not have, or a motion that does
            not fit it.
    """
    chosen = format_of(path).of(options)
    path = path.with_suffix(path.suffix.lower())
    rigid = chosen.rigid if rigid is None else rigid
    chosen.write(prepared(motion, fps, rigid, clean), path)
    return path
