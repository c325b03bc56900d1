"""Reading a motion from a file.

Shape letters: T frames, J joints, F features.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from motiongpt.arrays import read_array, read_arrays
from motiongpt.data.bvh import MAX_FPS, MIN_FPS, MOST_FRAMES, read_bvh
from motiongpt.data.bvh_forward import position_parts
from motiongpt.data.captured import captured, checked_skip, option_of_api
from motiongpt.data.checks import text_problem
from motiongpt.data.joint_mapping import load_mapping
from motiongpt.data.own_bvh import mapping_of, own_unit
from motiongpt.errors import UserError
from motiongpt.motion.plausible import lies
from motiongpt.motion.sequence import MotionSequence, in_metres
from motiongpt.motion.skeleton import HUMANML3D, KIT, SKELETONS, skeleton_by_name

Captions = Sequence[str] | None
Read = TypeVar("Read")
BVH = ".bvh"
MOST_SECONDS = 3_600  # of one motion; its features at 20 frames per second take 80 MB


@dataclass(frozen=True)
class BvhOptions:
    """How the skeleton of a BVH file is to be read; see `Motion.from_file`."""

    mapping: str | Path | None = None
    metres_per_unit: float | None = None
    up_axis: str | None = None
    skip_first: int = 0

    def __post_init__(self) -> None:
        checked_skip(self.skip_first, "skip_first")
        if self.metres_per_unit is not None and not 0 < self.metres_per_unit < float("inf"):
            raise UserError(f"metres_per_unit={self.metres_per_unit}: expected a number above zero")
        if self.up_axis not in (None, "Y", "Z"):
            raise UserError(f"up_axis={self.up_axis!r}: expected 'Y' or 'Z'")


AS_MAPPED = BvhOptions()


def read_motion(
    path: Path, fps: float | None = None, captions: Captions = None, bvh: BvhOptions = AS_MAPPED
) -> MotionSequence:
    """See `Motion.from_file`."""
    ending = path.suffix.lower()
    if ending != BVH and ending not in _READERS:
        raise UserError(f"{path}: expected a file that ends in {', '.join([*_READERS, BVH])}")
    if ending != BVH and bvh != AS_MAPPED:
        raise UserError(
            f"{path}: mapping, metres_per_unit, up_axis and skip_first are of BVH files; leave "
            "them out"
        )
    try:
        if ending == BVH:
            motion = _read_bvh(path, fps, captions, bvh)
        else:
            motion = _READERS[ending](path, fps, captions)
        if motion.frames > MOST_FRAMES or motion.seconds > MOST_SECONDS:
            raise UserError(
                f"{motion.frames:,} frames, {motion.seconds:,.0f} s; at most {MOST_FRAMES:,} "
                f"frames and {MOST_SECONDS:,} s are read: cut it"
            )
    except UserError as error:
        said = str(error)
        raise UserError(said if str(path) in said else f"{path}: {said}") from error
    if ending == ".npy" and lies(motion.joints, motion.skeleton):  # .npz has been such a motion
        warnings.warn(
            f"{path}: the head is not above the pelvis in most frames: does the person lie, or is "
            "Z up? Y is expected up",
            stacklevel=3,
        )
    return motion


def motion_of_array(
    array: np.ndarray, fps: float | None = None, captions: Sequence[str] = ()
) -> MotionSequence:
    """Joints (T, J, 3) or features (T, F), told apart by their shape; a leading 1 is dropped.

    Raises:
        UserError: the shape is that of no known skeleton's joints or features.
    """
    found = array[0] if array.ndim == 4 and len(array) == 1 else array
    for skeleton in SKELETONS.values():
        if found.ndim == 3 and found.shape[1:] == (skeleton.n_joints, 3):
            return MotionSequence.from_joints(found, fps, captions, skeleton)
        if found.ndim == 2 and found.shape[1] == skeleton.n_features:
            motion = MotionSequence.from_features(found, fps, captions, skeleton)
            return in_metres(motion, smallest=0.0)
    known = ", ".join(
        f"(frames, {one.n_joints}, 3) or (frames, {one.n_features})" for one in SKELETONS.values()
    )
    raise UserError(f"an array of shape {array.shape}; expected joints or features: {known}")


def _read_npy(path: Path, fps: float | None, captions: Captions) -> MotionSequence:
    return motion_of_array(_read(read_array, path), fps, captions or ())


def _read_npz(path: Path, fps: float | None, captions: Captions) -> MotionSequence:
    held = _read(read_arrays, path)
    skeleton = skeleton_by_name(str(held["skeleton"])) if "skeleton" in held else None
    words = _words(held.get("captions")) if captions is None else captions
    rate = _rate(held["fps"]) if fps is None and "fps" in held else fps
    if "joints" not in held:
        if "features" not in held:
            raise UserError(f"holds {', '.join(held) or 'nothing'}; expected joints or features")
        return motion_of_array(held["features"], rate, words)
    if skeleton is None:
        skeleton = motion_of_array(held["joints"]).skeleton
    rate = skeleton.fps if rate is None else rate
    return MotionSequence(
        held["joints"], rate, words, skeleton, _given(held.get("given")), held.get("features")
    )


def _rate(array: np.ndarray) -> float:
    if array.size != 1 or array.dtype.kind not in "iuf":
        raise UserError(f"fps of {array.dtype} and shape {array.shape}; expected one number")
    rate = float(array.item())
    if not MIN_FPS <= rate <= MAX_FPS:
        raise UserError(f"fps {rate:g}; expected {MIN_FPS:g} to {MAX_FPS:g} frames per second")
    return rate


def _words(array: np.ndarray | None) -> list[str]:
    if array is None or not array.size:
        return []
    if array.dtype.kind != "U" or array.ndim != 1:
        raise UserError(f"captions of {array.dtype} and shape {array.shape}; expected texts")
    words = [str(one) for one in array]
    problem = next(filter(None, map(text_problem, words)), None)
    if problem:
        raise UserError(problem)
    return words


def _given(array: np.ndarray | None) -> np.ndarray | None:
    if array is not None and array.dtype.kind not in "biu":
        raise UserError(f"given of {array.dtype}; expected true or false for each frame")
    return array


def _read(read: Callable[[Path], Read], path: Path) -> Read:
    try:
        return read(path)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise UserError(f"{path}: can't be read as numpy's format: {reason}") from error


def _read_bvh(
    path: Path, fps: float | None, captions: Captions, options: BvhOptions
) -> MotionSequence:
    if fps is not None:
        raise UserError("a BVH file says its frame rate itself; leave fps out, use at(fps)")
    bvh = read_bvh(path)
    if set(KIT.joint_names) <= set(bvh.joint_names) and options == AS_MAPPED:
        # `Motion.save` wrote it, in metres
        columns = [bvh.joint_names.index(name) for name in KIT.joint_names]
        joints = np.concatenate([part[:, columns] for part in position_parts(bvh)])
        joints *= own_unit(bvh) or 1.0
        return in_metres(MotionSequence(joints, bvh.fps, captions or (), KIT))
    if options.mapping is None:
        mapping = mapping_of(bvh, str(path))
    else:
        mapping = load_mapping(options.mapping)
    mapping = mapping.with_units(options.metres_per_unit, options.up_axis)
    found = captured(bvh, mapping, None, str(path), options.skip_first)
    for line in found.odd(option_of_api, options.up_axis).values():
        warnings.warn(f"{path}: {line}", stacklevel=4)
    return MotionSequence(found.joints, bvh.fps, captions or (), HUMANML3D)


_READERS: Mapping[str, Callable[[Path, float | None, Captions], MotionSequence]] = {
    ".npy": _read_npy,
    ".npz": _read_npz,
}
