"""Joint positions of any capture file to the 22 joints of the HumanML3D skeleton.

Shape letters: T frames, J joints.
"""

from collections.abc import Iterable

import numpy as np

from motiongpt.data.joint_mapping import JointMapping
from motiongpt.errors import UserError
from motiongpt.motion.plausible import size_problem
from motiongpt.motion.resample import resample_positions

# No capture is that large; beyond it float32 loses millimetres.
FARTHEST = 10_000.0


def mapped_positions(
    joint_names: tuple[str, ...],
    parts: Iterable[np.ndarray],
    mapping: JointMapping,
    file: str,
    where: str = "",
) -> np.ndarray:
    """Joints (T, 22, 3) float64 metres at the file's own frame rate, Y up.

    Args:
        joint_names: J names.
        parts: positions (T', J, 3) in the file's units and axes, some frames after the other.
        mapping: with the file's units.
        file: stands in complaints.
        where: the same with the line where the joints end, if there is one.

    Raises:
        UserError: joints missing, too far away, or a body of no person's size.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is refused below
        mapped = [mapping.apply(joint_names, part, where or file) for part in parts]
    joints = np.concatenate(mapped)
    if not all((np.abs(part) < FARTHEST).all() for part in mapped):
        raise UserError(
            f"{file}: joints farther than {FARTHEST:g} m away: expected coordinates that "
            f"{mapping.metres_per_unit:g} metres per unit (mapping {mapping.name!r}) turns into "
            "metres"
        )
    problem = size_problem(joints)
    if problem:
        raise UserError(
            f"{file}: {problem}, with {mapping.metres_per_unit:g} metres per unit (mapping "
            f"{mapping.name!r}); give the file's unit as metres_per_unit: 1 for metres, 0.01 for "
            "centimetres, 0.001 for millimetres"
        )
    return joints


def resampled(joints: np.ndarray, fps_in: float, fps: float) -> np.ndarray:
    """Joints (T, 22, 3) at another frame rate, float32."""
    return resample_positions(joints, fps_in, fps).astype(np.float32)
