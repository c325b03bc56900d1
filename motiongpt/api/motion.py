"""One motion, as people and files have it.

Shape letters: T frames, J joints, F features.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from motiongpt.data.resample import resample_positions
from motiongpt.errors import UserError
from motiongpt.motion.features import joints_to_features
from motiongpt.motion.recover import features_to_joints
from motiongpt.motion.skeleton import HUMANML3D, Skeleton

FARTHEST = 10_000.0  # metres; beyond it float32 loses millimetres
TALLEST = 5.0  # metres; a taller body is in centimetres or millimetres


class Motion:
    """Joints in metres, with all that is known about them; it never changes.

    `from_joints`, `from_features` and `from_file` make one. A slice of frames, `motion[10:40]`, is
    a motion that stays where it was; one frame, `motion[-1]`, is a motion of that pose.

    Attributes:
        joints: (T, J, 3) float32, metres, Y up.
        fps: frames per second.
        captions: sentences about it, may be empty.
        skeleton: of the joints.
        given: (T,) bool, True where a frame was given to the model rather than written by it.
    """

    def __init__(
        self,
        joints: np.ndarray,
        fps: float,
        captions: Sequence[str] = (),
        skeleton: Skeleton = HUMANML3D,
        given: np.ndarray | None = None,
        features: np.ndarray | None = None,
    ) -> None:
        """Put together parts that fit.

        Args:
            features: (T, F) of these joints, not normalised; None computes them when needed.

        Raises:
            UserError: no frames, another shape than the skeleton's, NaN or infinity, or a frame
                rate that is none.
        """
        self.skeleton = skeleton
        self.joints = _checked_joints(joints, skeleton)
        self.fps = _checked_fps(fps)
        self.captions = tuple(captions)
        frames = len(self.joints)
        self.given = np.zeros(frames, bool) if given is None else np.asarray(given, bool)
        self._features = None if features is None else _checked_features(features, skeleton)
        for name, rows in (("given", self.given), ("features", self._features)):
            if rows is not None and len(rows) != frames:
                raise UserError(f"{name} of {len(rows)} frames for joints of {frames}")

    @classmethod
    def from_joints(
        cls,
        joints: np.ndarray,
        fps: float | None = None,
        captions: Sequence[str] = (),
        skeleton: Skeleton = HUMANML3D,
    ) -> Motion:
        """A motion of joints (T, J, 3) in metres; `fps` is the skeleton's where it is not given."""
        return in_metres(cls(joints, skeleton.fps if fps is None else fps, captions, skeleton))

    @classmethod
    def from_features(
        cls,
        features: np.ndarray,
        fps: float | None = None,
        captions: Sequence[str] = (),
        skeleton: Skeleton = HUMANML3D,
    ) -> Motion:
        """A motion of features (T, F), not normalised: it starts over the origin, facing +Z."""
        rows = _checked_features(features, skeleton)
        joints = features_to_joints(torch.from_numpy(rows), skeleton).numpy()
        chosen = skeleton.fps if fps is None else fps
        return cls(joints, chosen, captions, skeleton, features=rows)

    @classmethod
    def from_file(
        cls, path: str | Path, fps: float | None = None, captions: Sequence[str] | None = None
    ) -> Motion:
        """Read joints or features (.npy, told apart by their shape), .npz of `save`, or .bvh.

        Args:
            fps: of an .npy file, which doesn't say; the skeleton's where it is not given.
            captions: instead of the file's own.

        Raises:
            UserError: no such file, one of another kind, or numbers that are no motion.
        """
        from motiongpt.api.motion_file import read_motion

        return read_motion(Path(path), fps, captions)

    @property
    def features(self) -> np.ndarray:
        """(T, F) float32, not normalised, on the skeleton's own bone lengths.

        Raises:
            UserError: two neighbouring joints coincide, so that there are no rotations.
        """
        if self._features is None:
            self._features = _features_of(self.joints, self.skeleton)
        return self._features

    @property
    def frames(self) -> int:
        """T."""
        return len(self.joints)

    @property
    def seconds(self) -> float:
        """Duration: T frames of 1 / fps each."""
        return self.frames / self.fps

    def __len__(self) -> int:
        return self.frames

    def __getitem__(self, which: int | slice) -> Motion:
        if isinstance(which, int):
            place = range(self.frames)[which]
            which = slice(place, place + 1)
        if which.step not in (None, 1):
            raise UserError("a motion is cut frame by frame; for another frame rate use at(fps)")
        if not len(self.joints[which]):
            raise UserError(f"frames {which.start}:{which.stop} of {self.frames} are none")
        return Motion(
            self.joints[which],
            self.fps,
            self.captions,
            self.skeleton,
            self.given[which],
            self.features[which],
        )

    def __repr__(self) -> str:
        said = f", {self.captions[0]!r}" if self.captions else ""
        return f"Motion({self.frames} frames, {self.seconds:.1f} s, {self.skeleton.name}{said})"

    def at(self, fps: float) -> Motion:
        """The same motion at another frame rate, by linear interpolation of the joints."""
        if abs(_checked_fps(fps) - self.fps) < 1e-6:
            return self
        joints = resample_positions(self.joints, self.fps, fps).astype(np.float32)
        given = resample_positions(self.given.astype(np.float32), self.fps, fps) > 0.5
        return Motion(joints, fps, self.captions, self.skeleton, given)

    def save(self, path: str | Path) -> Path:
        """Write a file; its ending says which: .npy .npz .gif .webp .png .bvh.

        .npy holds the joints; .npz joints, features, fps, captions and skeleton; .gif and .webp
        are animations, .png a strip of poses, .bvh a skeleton with rotations for other programs.

        Raises:
            UserError: another ending.
        """
        from motiongpt.api.saving import save_motion

        return save_motion(self, Path(path))

    def show(self) -> Any:
        """In a notebook the animated picture; elsewhere a file's path is printed and returned."""
        from motiongpt.api.showing import show_motion

        return show_motion(self)


def in_metres(motion: Motion) -> Motion:
    """The motion itself, if its body has a person's size; for what comes from outside.

    Raises:
        UserError: it is a giant.
    """
    size = float(np.median((motion.joints.max(1) - motion.joints.min(1)).max(-1)))
    if size > TALLEST:
        raise UserError(f"a body of {size:.0f} m; expected metres, these are centimetres or less")
    return motion


def _features_of(joints: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """T joints give T - 1 rows of features: the frame after the last goes on as the last step."""
    last = joints[-1] if len(joints) == 1 else 2 * joints[-1] - joints[-2]
    longer = torch.from_numpy(np.concatenate([joints, last[None]]))
    return joints_to_features(longer, skeleton).numpy()


def _checked_joints(joints: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    joints = _numbers(joints, "joints")
    expected = f"(frames, {skeleton.n_joints}, 3) of the skeleton {skeleton.name!r}"
    if joints.ndim != 3 or joints.shape[1:] != (skeleton.n_joints, 3) or not len(joints):
        raise UserError(f"joints of shape {joints.shape}; expected {expected}")
    if not (np.abs(joints) < FARTHEST).all():
        raise UserError(f"joints farther than {FARTHEST:g} m away; expected metres")
    return joints


def _checked_features(features: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    features = _numbers(features, "features")
    if features.ndim != 2 or features.shape[1] != skeleton.n_features or not len(features):
        raise UserError(
            f"features of shape {features.shape}; expected (frames, {skeleton.n_features}) of the "
            f"skeleton {skeleton.name!r}"
        )
    return features


def _numbers(values: np.ndarray, what: str) -> np.ndarray:
    """`values` as a float32 array that nobody else changes."""
    try:
        array = np.array(values, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise UserError(f"{what} are no array of numbers: {error}") from error
    finite = np.isfinite(array)
    if not finite.all():
        frame = int(np.argwhere(~finite)[0][0])
        raise UserError(f"{what} hold NaN or infinity at frame {frame}; mend or cut them")
    return array


def _checked_fps(fps: float) -> float:
    if not 0 < float(fps) < float("inf"):
        raise UserError(f"fps={fps}: expected a number of frames per second above 0")
    return float(fps)
