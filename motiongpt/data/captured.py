"""One capture as joints, with what is odd about it and the options that mend it.

Shape letters: T frames.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from motiongpt.data.bvh import Bvh
from motiongpt.data.bvh_forward import position_parts
from motiongpt.data.bvh_joints import with_restored
from motiongpt.data.joint_mapping import JointMapping
from motiongpt.data.mapped_positions import mapped_positions, resampled
from motiongpt.data.mapping_doubts import mapping_doubts
from motiongpt.errors import UserError
from motiongpt.motion.plausible import leap, lies

Spelled = Callable[[str, str], str]
"""An option and its value as who reads of it would write them."""

LEAPS, LIES, DOUBTED = "leaps", "lies", "doubted"


@dataclass(frozen=True)
class Captured:
    """A capture that could be read.

    Attributes:
        joints: (T, 22, 3) float32 metres, Y up, at the frame rate that was asked for.
        skipped: seconds of the file before the first of them.
        leaps_after: frames of the file after which the body leaps to somewhere else, as from a
            T-pose; 0 where it does not.
        doubts: joints that are likely wrong in the mapping.
    """

    joints: np.ndarray
    skipped: float = 0.0
    leaps_after: int = 0
    doubts: tuple[str, ...] = ()

    def odd(self, spelled: Spelled, up_axis: str | None) -> dict[str, str]:
        """Kind of oddity -> one line that names the option which mends it.

        Args:
            up_axis: as it was given; where it was, people lie because they do.
        """
        found = {}
        if self.leaps_after:
            option = spelled("skip_first", str(self.leaps_after))
            found[LEAPS] = (
                f"the body leaps after frame {self.leaps_after}, as from a T-pose: {option} leaves "
                "out what is before"
            )
        if up_axis is None and lies(self.joints):
            found[LIES] = (
                "the head is not above the pelvis in most frames: does the person lie, or is Z up? "
                f"{spelled('up_axis', 'Z')} where Z is up in the file, {spelled('up_axis', 'Y')} "
                "where the person does lie"
            )
        elif self.doubts:  # of who lies the axis is mended first
            found[DOUBTED] = f"{self.doubts[0]}; `motiongpt data mapping FILE` draws the mapping"
        return found


def captured(
    bvh: Bvh, mapping: JointMapping, fps: float | None, file: str, skip_first: int = 0
) -> Captured:
    """The joints of a file already parsed, and what is odd about them.

    Args:
        mapping: with the file's units.
        fps: of the joints; None for the file's own.
        file: stands in complaints.
        skip_first: frames of the file to leave out.

    Raises:
        UserError: joints missing, a body of no person's size, or more frames to leave out than
            there are.
    """
    where = f"{file}:{bvh.motion_line}"
    parts = position_parts(with_restored(bvh, mapping))
    joints = mapped_positions(bvh.joint_names, parts, mapping, file, where)
    return captured_of(joints, bvh.fps, fps, file, skip_first)


def captured_of(
    joints: np.ndarray, fps_in: float, fps: float | None, file: str, skip_first: int
) -> Captured:
    """The same of joints (T, 22, 3) at `fps_in`.

    Raises:
        UserError: more frames to leave out than there are.
    """
    if skip_first >= len(joints):
        raise UserError(
            f"{file}: {len(joints)} frames, of which skip_first={skip_first} leaves none"
        )
    kept = joints[skip_first:]
    after = leap(kept, fps_in)
    return Captured(
        resampled(kept, fps_in, fps or fps_in),
        skip_first / fps_in,
        after + skip_first if after else 0,
        tuple(mapping_doubts(kept)),
    )


def option_of_data(option: str, value: str) -> str:
    """As Hydra's overrides are written."""
    return f"data.source.{option}={value}"


def option_of_command(option: str, value: str) -> str:
    """As options of a command are written."""
    return f"--{option.replace('_', '-')} {value}"


def option_of_api(option: str, value: str) -> str:
    """As arguments of Python are written."""
    return f"{option}={value if value.isdecimal() else repr(value)}"


def checked_skip(skip_first: int, spelled: str) -> int:
    """Frames to leave out.

    Raises:
        UserError: no whole number from 0 on.
    """
    if isinstance(skip_first, bool) or not isinstance(skip_first, int) or skip_first < 0:
        raise UserError(f"{spelled}={skip_first}: expected a whole number of frames, 0 for none")
    return skip_first
