"""Writing a motion to a file, by the file's ending."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from motiongpt.export.known import format_of
from motiongpt.export.preparing import prepared
from motiongpt.motion.sequence import MotionSequence
from motiongpt.render.shown import Shown


def save_motion(
    motion: MotionSequence,
    path: Path,
    fps: float | None = None,
    rigid: bool | None = None,
    clean: str | Iterable[str] = (),
    beside: Mapping[str, MotionSequence] | None = None,
    label: str = "",
    **options: Any,
) -> Path:
    """Write a motion; the file is there whole or not at all.

    Args:
        fps: frames per second of the file; the motion's if None.
        rigid: bones of constant length; where None, all files have them but .npy and .npz, which
            are the motion itself.
        clean: "feet", "smooth" or both, also as "feet,smooth".
        beside: label -> other motions to show beside this one, where the format is for eyes.
        label: of this one.
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
    ready = prepared(motion, fps, rigid, clean)
    if not beside and not label:
        chosen.write(ready, path)
        return path
    others = [Shown(prepared(one, fps, rigid, clean), name) for name, one in (beside or {}).items()]
    chosen.write_together([Shown(ready, label), *others], path)
    return path
