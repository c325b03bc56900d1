"""Reading a motion from a file.

Shape letters: T frames, J joints, F features.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from motiongpt.data.bvh import read_bvh
from motiongpt.data.bvh_forward import world_positions
from motiongpt.data.bvh_joints import mapped_joints
from motiongpt.data.joint_mapping import mapping_for
from motiongpt.errors import UserError
from motiongpt.motion.plausible import lies
from motiongpt.motion.sequence import MotionSequence, in_metres
from motiongpt.motion.skeleton import HUMANML3D, KIT, SKELETONS, skeleton_by_name

Captions = Sequence[str] | None
_BY_COMMAND = "`motiongpt data joints` reads BVH with --metres-per-unit and --up-axis"


def read_motion(path: Path, fps: float | None = None, captions: Captions = None) -> MotionSequence:
    """See `Motion.from_file`."""
    ending = path.suffix.lower()
    if ending not in _READERS:
        raise UserError(f"{path}: expected a file that ends in {', '.join(_READERS)}")
    try:
        motion = _READERS[ending](path, fps, captions)
    except UserError as error:
        said = str(error)
        raise UserError(said if str(path) in said else f"{path}: {said}") from error
    if ending != ".npz" and lies(motion.joints, motion.skeleton):  # .npz has been such a motion
        warnings.warn(
            f"{path}: the head is not above the pelvis in most frames: does the person lie, or is "
            f"Z up? Y is expected up ({_BY_COMMAND})",
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
    array = _load(path)
    if not isinstance(array, np.ndarray):
        raise UserError("several arrays in an .npy file; expected one")
    return motion_of_array(array, fps, captions or ())


def _read_npz(path: Path, fps: float | None, captions: Captions) -> MotionSequence:
    held = _load(path)
    if isinstance(held, np.ndarray):
        raise UserError("a single array; expected an .npz file with joints, features or both")
    skeleton = skeleton_by_name(str(held["skeleton"])) if "skeleton" in held else None
    words = [str(one) for one in held.get("captions", ())] if captions is None else captions
    rate = float(held["fps"]) if fps is None and "fps" in held else fps
    if "joints" not in held:
        if "features" not in held:
            raise UserError(f"holds {', '.join(held) or 'nothing'}; expected joints or features")
        return motion_of_array(held["features"], rate, words)
    if skeleton is None:
        skeleton = motion_of_array(held["joints"]).skeleton
    rate = skeleton.fps if rate is None else rate
    return MotionSequence(
        held["joints"], rate, words, skeleton, held.get("given"), held.get("features")
    )


def _load(path: Path) -> np.ndarray | Mapping[str, np.ndarray]:
    """One array, or all of an archive; pickled objects are never unpickled."""
    try:
        found = np.load(path, allow_pickle=False)
        return found if isinstance(found, np.ndarray) else dict(found)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file") from None
    except (OSError, ValueError, EOFError) as error:
        reason = str(error).splitlines()[0]
        if "pickle" in str(error):
            reason = "pickled objects, which are not read; save a plain array of numbers"
        raise UserError(f"{path}: can't be read as numpy's format: {reason}") from error


def _read_bvh(path: Path, fps: float | None, captions: Captions) -> MotionSequence:
    if fps is not None:
        raise UserError("a BVH file says its frame rate itself; leave fps out, use at(fps)")
    bvh = read_bvh(path)
    if set(KIT.joint_names) <= set(bvh.joint_names):  # `Motion.save` wrote it, in metres
        columns = [bvh.joint_names.index(name) for name in KIT.joint_names]
        return in_metres(
            MotionSequence(world_positions(bvh)[:, columns], bvh.fps, captions or (), KIT)
        )
    mapping = mapping_for(bvh.joint_names, str(path))
    try:
        joints = mapped_joints(bvh, mapping, bvh.fps, str(path))
    except UserError as error:
        raise UserError(f"{error} ({_BY_COMMAND})") from error
    return MotionSequence(joints, bvh.fps, captions or (), HUMANML3D)


_READERS: Mapping[str, Callable[[Path, float | None, Captions], MotionSequence]] = {
    ".npy": _read_npy,
    ".npz": _read_npz,
    ".bvh": _read_bvh,
}
