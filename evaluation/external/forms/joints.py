"""Joints: (T, 22, 3), the form in which most projects save what they generate.

Flat rows (T, 66) are the same; of SMPL's 24, SMPL-H's 52 and SMPL-X's 55 joints the first 22 are
the HumanML3D skeleton's. KIT has 21. Shape letters: T frames, J joints.
"""

from pathlib import Path

import numpy as np

from evaluation.external.forms.base import array_shape, read_rows
from evaluation.external.forms.joint_form import JointForm
from motiongpt.motion.skeleton import HUMANML3D, Skeleton

LARGER = (24, 52, 55)  # joints of bodies whose first ones are HumanML3D's


def _row(shape: tuple[int, ...], skeleton: Skeleton) -> tuple[int, ...] | None:
    """Shape of a frame, or None where it is no frame of joints of this skeleton."""
    known = [skeleton.n_joints, *(LARGER if skeleton.name == HUMANML3D.name else ())]
    for joints in known:
        if shape[1:] in ((joints, 3), (3 * joints,)):
            return shape[1:]
    return None


class Joints(JointForm):
    """`.npy` of positions."""

    name = "joints"
    ending = ".npy"
    expects = "(frames, 22, 3) or (frames, 66) positions in metres; 21 joints for KIT's skeleton"

    @classmethod
    def fits(cls, path: Path, skeleton: Skeleton) -> bool:
        """See `Form.fits`."""
        return _row(array_shape(path), skeleton) is not None

    def raw(self, path: Path) -> tuple[np.ndarray, float | None]:
        """See `JointForm.raw`."""
        skeleton = self.target.skeleton
        row = _row(_shape(path), skeleton) or (skeleton.n_joints, 3)
        flat = read_rows(path, row, "joints")
        return flat.reshape(len(flat), -1, 3)[:, : skeleton.n_joints], None


def _shape(path: Path) -> tuple[int, ...]:
    """Of the array; of a file that can't be read, none: reading it says why."""
    try:
        return array_shape(path)
    except (OSError, ValueError):
        return ()
