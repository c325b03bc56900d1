"""Writing a motion to a file, by the file's ending."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from motiongpt.errors import UserError
from motiongpt.export.bvh import bvh_text
from motiongpt.files import replacing, save_array, write_text
from motiongpt.motion.sequence import MotionSequence
from motiongpt.render.stick_figure import render_animation
from motiongpt.render.strip import render_strip


def save_motion(motion: MotionSequence, path: Path) -> Path:
    """See `Motion.save`; the file is there whole or not at all."""
    ending = path.suffix.lower()
    if ending not in _WRITERS:
        raise UserError(f"{path}: expected a file that ends in {', '.join(_WRITERS)}")
    path = path.with_suffix(ending)
    _WRITERS[ending](motion, path)
    return path


def _save_npy(motion: MotionSequence, path: Path) -> None:
    save_array(path, motion.joints)


def _save_npz(motion: MotionSequence, path: Path) -> None:
    with replacing(path) as stream:
        np.savez_compressed(
            stream,
            joints=motion.joints,
            features=motion.features,
            fps=np.float64(motion.fps),
            captions=np.array(motion.captions, dtype=np.str_),
            skeleton=np.str_(motion.skeleton.name),
            given=motion.given,
        )


def _animate(motion: MotionSequence, path: Path) -> None:
    caption = motion.captions[0] if motion.captions else ""
    render_animation(
        motion.joints, motion.skeleton, path, caption, given=motion.given, fps=motion.fps
    )


def _draw_strip(motion: MotionSequence, path: Path) -> None:
    caption = motion.captions[0] if motion.captions else ""
    skeleton = replace(motion.skeleton, fps=motion.fps)  # seconds are written below the poses
    poses = min(6, motion.frames)
    render_strip(motion.joints, skeleton, path, caption, poses=poses, given=motion.given)


def _save_bvh(motion: MotionSequence, path: Path) -> None:
    write_text(path, bvh_text(motion.joints, motion.skeleton, motion.fps))


_WRITERS: Mapping[str, Callable[[MotionSequence, Path], None]] = {
    ".npy": _save_npy,
    ".npz": _save_npz,
    ".gif": _animate,
    ".webp": _animate,
    ".png": _draw_strip,
    ".bvh": _save_bvh,
}
