"""One trial's file to the clips that HumanML3D cuts out of it.

Shape letters: T frames.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from motiongpt.data.asf_amc.amc import parse_amc
from motiongpt.data.asf_amc.asf import parse_asf
from motiongpt.data.asf_amc.forward import position_parts as amc_parts
from motiongpt.data.bvh import Bvh, parse_bvh
from motiongpt.data.bvh_forward import position_parts as bvh_parts
from motiongpt.data.bvh_joints import with_restored
from motiongpt.data.clip import BadClip, Clip
from motiongpt.data.cmu.motions import TrialFile
from motiongpt.data.cmu.words import INDEX_FPS, CmuClip
from motiongpt.data.joint_mapping import mapping_for
from motiongpt.data.mapped_positions import mapped_positions, resampled
from motiongpt.errors import UserError
from motiongpt.motion.plausible import bone_problem

_ROUNDING = 1e-6


@dataclass(frozen=True)
class Cut:
    """How clips are cut.

    Attributes:
        fps: frames per second of the clips.
        min_frames, max_frames: of feature rows, one less than the frames of joints.
    """

    fps: float
    min_frames: int
    max_frames: int


def to_clips(file: TrialFile, clips: Sequence[CmuClip], cut: Cut) -> list[Clip | BadClip]:
    """The clips of one trial, each before its parts that captions are about."""
    try:
        capture = _Capture(file)
    except UserError as error:
        return [BadClip(clip.name, str(error)) for clip in clips]
    return [one for clip in clips for one in _of_clip(capture, clip, cut)]


class _Capture:
    """A parsed file, of which joints are computed for the frames that are asked for."""

    def __init__(self, file: TrialFile) -> None:
        if file.name.endswith(".bvh"):
            self._bvh = parse_bvh(file.content, file.name)
            self._amc, self.first = None, t_pose_frames(self._bvh)
            names, count = self._bvh.joint_names, len(self._bvh.values)
        elif file.skeleton is None:
            raise UserError(f"{file.name}: no ASF skeleton in the folder, which an AMC file needs")
        else:
            skeleton = parse_asf(file.skeleton, f"skeleton of {file.name}")
            self._amc, self.first = parse_amc(file.content, file.name, skeleton), 0
            names, count = skeleton.joint_names, len(self._amc.values)
        self._name, self._names = file.name, names
        self._mapping = mapping_for(names, file.name)
        self.frames = count - self.first

    def joints(self, first: int, last: int) -> np.ndarray:
        """(T, 22, 3) float64 metres of the captured frames `first` to `last`, both included."""
        rows = slice(self.first + first, self.first + last + 1)
        if self._amc is not None:
            parts = amc_parts(replace(self._amc, values=self._amc.values[rows]))
        else:
            cut = replace(self._bvh, values=self._bvh.values[rows])
            parts = bvh_parts(with_restored(cut, self._mapping))
        return mapped_positions(self._names, parts, self._mapping, self._name)


def t_pose_frames(bvh: Bvh) -> int:
    """Frames before the first captured one: the T-pose, without a turn of the root, that cgspeed's
    conversions for MotionBuilder and DAZ add; those for 3ds Max begin with the capture."""
    root = bvh.joints[0]
    turns = [column for column, name in enumerate(root.channels) if name.endswith("rotation")]
    return 0 if bvh.values[0, turns].any() else 1


def _of_clip(capture: _Capture, clip: CmuClip, cut: Cut) -> Iterator[Clip | BadClip]:
    try:
        joints = _cut_out(capture, clip, cut.fps)
    except UserError as error:
        yield BadClip(clip.name, str(error))
        return
    for span, captions in sorted(clip.captions.items(), key=lambda item: not item[0].whole):
        rows = slice(0, len(joints) - 1) if span.whole else span.frames(cut.fps)
        part = joints[rows.start : rows.stop + 1]
        name = clip.name if span.whole else f"{clip.name}@{span}"
        problem = _length_problem(len(part) - 1, cut)
        yield BadClip(name, problem) if problem else Clip(name, clip.split, captions, part)


def _cut_out(capture: _Capture, clip: CmuClip, fps: float) -> np.ndarray:
    """Joints (T, 22, 3) float32 of a clip: frame i at 20 per second is at i / 20 seconds.

    Raises:
        UserError: the rate is not known, the file ends before the clip does, or its joints are none
            of a person.
    """
    if clip.fps is None:
        raise UserError(f"the rate of capture of trial {clip.trial} is not known (60 or 120)")
    step = clip.fps / INDEX_FPS
    first = round(clip.start * step)
    last = int((clip.end - 1) * step + _ROUNDING)
    if last >= capture.frames:
        raise UserError(
            f"ends at frame {last} of trial {clip.trial} at {clip.fps:g} fps, the file has "
            f"{capture.frames}"
        )
    joints = resampled(capture.joints(first, last), clip.fps, fps)
    problem = bone_problem(joints)
    if problem is not None:
        raise UserError(problem)
    return joints


def _length_problem(frames: int, cut: Cut) -> str | None:
    if frames < cut.min_frames:
        return f"too short: {frames} frames, at least {cut.min_frames} are needed"
    if frames > cut.max_frames:
        return f"too long: {frames} frames, at most {cut.max_frames} are used"
    return None
