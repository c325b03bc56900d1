"""Motion-X's rows of 322 numbers (Lin et al. 2023): SMPL-X pose, face, place, shape; 30 fps, Y up.

0:3 root, 3:66 body, 66:156 hands, 156:159 jaw, 159:209 expression, 209:309 face, all but the first
two not read; 309:312 place in metres, 312:322 shape. Shape letters: T frames, J joints.
"""

from pathlib import Path

import numpy as np

from evaluation.external.forms.base import array_shape, read_rows
from evaluation.external.forms.smpl import BODY_POSE, SmplForm
from motiongpt.motion.skeleton import HUMANML3D, Skeleton

WIDTH = 322
PLACE, SHAPE = slice(309, 312), slice(312, WIDTH)


class MotionX(SmplForm):
    """`.npy` of these rows."""

    name = "motion_x"
    ending = ".npy"
    expects = "(frames, 322) SMPL-X rows of Motion-X"
    default_fps = 30.0

    @classmethod
    def fits(cls, path: Path, skeleton: Skeleton) -> bool:
        """See `Form.fits`."""
        shape = array_shape(path)
        return skeleton.name == HUMANML3D.name and len(shape) == 2 and shape[1] == WIDTH

    def raw(self, path: Path) -> tuple[np.ndarray, float | None]:
        """See `JointForm.raw`; the neutral body, as Motion-X has it."""
        rows = read_rows(path, (WIDTH,), "rows")
        pose, place, shape = rows[:, :BODY_POSE], rows[:, PLACE], rows[0, SHAPE]
        return self.posed("smplx", "neutral", pose, place, shape), None
