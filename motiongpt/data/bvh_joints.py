"""A BVH file to the joints of the HumanML3D skeleton.

Shape letters: T frames.
"""

from pathlib import Path

import numpy as np

from motiongpt.data.bvh import Bvh, read_bvh
from motiongpt.data.bvh_forward import position_parts
from motiongpt.data.joint_mapping import JointMapping, load_mapping, mapping_for
from motiongpt.errors import UserError
from motiongpt.motion.plausible import size_problem
from motiongpt.motion.resample import resample_positions

# No capture is that large; beyond it float32 loses millimetres.
FARTHEST = 10_000.0


def bvh_to_joints(
    path: Path,
    mapping: JointMapping | str | Path | None = None,
    fps: float = 20.0,
    metres_per_unit: float | None = None,
    up_axis: str | None = None,
) -> np.ndarray:
    """Joints of one file, (T, 22, 3) float32 metres at `fps`, Y up.

    World position, height and heading are the file's own, and bones keep the performer's lengths.

    Args:
        mapping: a mapping, the name of one that comes with the package, or the path of a yaml;
            None takes the shipped mapping that fits the file's joint names.
        metres_per_unit, up_axis: instead of the mapping's.

    Raises:
        UserError: unreadable or malformed file, no mapping fits, joints missing, or a body of no
            person's size.
    """
    bvh = read_bvh(path)
    if mapping is None:
        mapping = mapping_for(bvh.joint_names, f"{path}:{bvh.motion_line}")
    elif not isinstance(mapping, JointMapping):
        mapping = load_mapping(mapping)
    return mapped_joints(bvh, mapping.with_units(metres_per_unit, up_axis), fps, str(path))


def mapped_joints(bvh: Bvh, mapping: JointMapping, fps: float, file: str) -> np.ndarray:
    """As `bvh_to_joints`, of a file already parsed; `file` stands in complaints."""
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is refused below
        names, where = bvh.joint_names, f"{file}:{bvh.motion_line}"
        parts = [mapping.apply(names, part, where) for part in position_parts(bvh)]
    joints = np.concatenate(parts)
    if not all((np.abs(part) < FARTHEST).all() for part in parts):
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
    return resample_positions(joints, bvh.fps, fps).astype(np.float32)


def on_the_floor(joints: np.ndarray) -> np.ndarray:
    """The clip lowered or raised as a whole, so that its lowest joint is at height 0."""
    return joints - np.array([0.0, joints[..., 1].min(), 0.0], dtype=joints.dtype)
