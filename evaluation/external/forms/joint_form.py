"""What all forms share that come down to joints: unit, axis, frame rate, body, features.

Shape letters: T frames, J joints, F features.
"""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence

from evaluation.external.forms.base import Form, Options, Target, bone_lengths
from motiongpt.errors import UserError
from motiongpt.motion.axes import from_z_up
from motiongpt.motion.features import joints_to_features
from motiongpt.motion.plausible import bone_problem, lies, size_problem
from motiongpt.motion.resample import resample_positions
from motiongpt.motion.sequence import FARTHEST

# Metres. Bones that differ by less are the data's own: predictions made of its features are not
# put on its skeleton once more, which would mend bones that the system bends or stretches.
SAME_BONES = 0.01
BATCH_SIZE = 64  # clips whose features are made together
# Metres. Lowest joints this near to height 0 stand on the data's floor, and stay where they are.
SAME_FLOOR = 0.1


class JointForm(Form):
    """Reads joints; the rest is here.

    Attributes:
        default_fps: of files that don't say; None for the target's.
        default_up: axis that is up where `--up-axis` is not given.
    """

    takes: ClassVar[frozenset[str]] = frozenset({"fps", "metres_per_unit", "up_axis"})
    default_fps: ClassVar[float | None] = None
    default_up: ClassVar[str] = "Y"

    def __init__(self, options: Options, target: Target) -> None:
        super().__init__(options, target)
        self.own_bones = self.own_floor = False

    @abstractmethod
    def raw(self, path: Path) -> tuple[np.ndarray, float | None]:
        """Joints (T, J, 3) as the file has them, and its frame rate; None where it doesn't say.

        Raises:
            UserError: the file can't be used; says why, without its name.
        """

    def up_axis(self, path: Path) -> str:
        """Axis that is up in this file."""
        return self.options.up_axis or self.default_up

    def look(self, sample: Sequence[Path]) -> Mapping[str, str]:
        """See `Form.look`: refuses another unit, and another axis up; compares the bones."""
        clips: list[np.ndarray] = []
        rates: list[tuple[float, bool]] = []
        for path in sample:
            try:
                joints, stated = self.raw(path)
                rates.append((self.rate(stated), stated is not None))
            except UserError as error:
                raise UserError(f"{path}: {error}") from error
            clips.append(self.placed(joints, path))
        self._check_unit(sample[0], clips)
        self._check_upright(sample[0], clips)
        bones = np.median([bone_lengths(one, self.target.skeleton) for one in clips], axis=0)
        off = float(np.abs(bones - self.target.bones).max())
        self.own_bones = off <= SAME_BONES
        lowest = float(np.median([one[..., 1].min() for one in clips]))
        self.own_floor = self.own_bones and abs(lowest) <= SAME_FLOOR
        return {
            "frame rate": self._rates_said(rates),
            "unit": f"{self.options.metres_per_unit or 1:g} m",
            "up": ", ".join(sorted({self.up_axis(path) for path in sample})),
            "bones": "the data's own, kept as they are"
            if self.own_bones
            else f"another body's (up to {100 * off:.1f} cm off), put on the data's skeleton",
            "floor": "at height 0, heights are kept"
            if self.own_floor
            else "each motion's lowest joint is put at height 0",
        }

    def read(self, path: Path) -> np.ndarray:
        """See `Form.read`."""
        (found,) = self.read_many([path])
        if isinstance(found, UserError):
            raise found
        return found

    def read_many(self, paths: Sequence[Path]) -> Iterator[np.ndarray | UserError]:
        """See `Form.read_many`: features of many clips at once take a tenth of the time."""
        for first in range(0, len(paths), BATCH_SIZE):
            read = [self._moved(path) for path in paths[first : first + BATCH_SIZE]]
            good = [one for one in read if not isinstance(one, UserError)]
            made = iter(self._features_or_errors(good))
            yield from (one if isinstance(one, UserError) else next(made) for one in read)

    def _moved(self, path: Path) -> np.ndarray | UserError:
        """Joints in metres, Y up, at the target's frame rate, checked."""
        try:
            joints, stated = self.raw(path)
            joints = self.placed(joints, path)
            if not (np.abs(joints) < FARTHEST).all():
                raise UserError(f"joints farther than {FARTHEST:g} m away; expected metres")
            if problem := bone_problem(joints, self.target.skeleton):
                raise UserError(problem)
            rate = self.rate(stated)
        except UserError as error:
            return error
        if rate != self.target.fps:
            joints = resample_positions(joints, rate, self.target.fps)
        return joints.astype(np.float32)

    def placed(self, joints: np.ndarray, path: Path) -> np.ndarray:
        """In metres, Y up."""
        joints = joints * np.float32(self.options.metres_per_unit or 1.0)
        return from_z_up(joints) if self.up_axis(path) == "Z" else joints

    def _features_or_errors(self, clips: Sequence[np.ndarray]) -> list[np.ndarray | UserError]:
        """An error of one clip ends the computation of all: then each is tried alone."""
        if not clips:
            return []
        try:
            return [*self._features(clips)]
        except UserError as error:
            if len(clips) == 1:
                return [error]
        return [found for clip in clips for found in self._features_or_errors([clip])]

    def _features(self, clips: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
        """T joints give T rows: the frame after the last goes on as the last step did."""
        longer = [np.concatenate([one, _next(one)[None]]) for one in clips]
        skeleton = self.target.skeleton
        offsets = None
        if not self.own_bones:
            bones = torch.from_numpy(self.target.bones.astype(np.float32))
            offsets = torch.tensor(skeleton.raw_offsets) * bones[:, None]
        rows = joints_to_features(
            pad_sequence([torch.from_numpy(one) for one in longer], batch_first=True),
            skeleton,
            [len(one) for one in longer],
            offsets=offsets,
            uniform=not self.own_bones,
        ).numpy()
        for one, joints in zip(rows, longer, strict=True):
            found = one[: len(joints) - 1].copy()
            if self.own_floor:  # features are on the floor: heights of root and joints go back
                found[:, 3] += joints[..., 1].min()
                found[:, 5 : 4 + 3 * (skeleton.n_joints - 1) : 3] += joints[..., 1].min()
            yield found

    def rate(self, stated: float | None) -> float:
        """Frames per second of a file that states `stated`."""
        return self.options.fps or stated or self.default_fps or self.target.fps

    def _rates_said(self, rates: Sequence[tuple[float, bool]]) -> str:
        """Frames per second of some files, and whether each says so itself."""
        words = " and ".join(f"{rate:g}" for rate in sorted({rate for rate, _ in rates}))
        if self.options.fps is not None:
            return f"{words}, as --fps says"
        if all(stated for _, stated in rates):
            return f"{words}, as the files say"
        whose = "the form's" if self.default_fps else "the data's"
        return f"{words}, {whose}: the files don't say (--fps does)"

    def _check_unit(self, path: Path, clips: Sequence[np.ndarray]) -> None:
        problem = size_problem(np.concatenate(clips))
        if problem:
            raise UserError(
                f"{path} and others: {problem}; give the files' unit: --metres-per-unit 0.01 for "
                "centimetres, 0.001 for millimetres"
            )

    def _check_upright(self, path: Path, clips: Sequence[np.ndarray]) -> None:
        if self.options.up_axis is not None or "up_axis" not in self.takes:
            return  # the user, or the form itself, says
        lying = sum(lies(one, self.target.skeleton) for one in clips)
        if 2 * lying > len(clips):
            raise UserError(
                f"{path} and others: the head is not above the pelvis in {lying} of {len(clips)} "
                f"motions, with {self.up_axis(path)} up; give --up-axis Z or --up-axis Y"
            )


def _next(joints: np.ndarray) -> np.ndarray:
    """(J, 3): where joints (T, J, 3) go on to after their last frame."""
    return joints[-1] if len(joints) == 1 else 2 * joints[-1] - joints[-2]
