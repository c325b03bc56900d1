"""An AMC file with its ASF file to the joints of the HumanML3D skeleton.

Shape letters: T frames.
"""

from pathlib import Path
from typing import Any

import numpy as np

from motiongpt.data.asf_amc.amc import read_amc
from motiongpt.data.asf_amc.asf import read_asf
from motiongpt.data.asf_amc.forward import position_parts
from motiongpt.data.captured import Captured, captured_of
from motiongpt.data.joint_mapping import JointMapping, mapping_for
from motiongpt.data.mapped_positions import mapped_positions
from motiongpt.errors import UserError
from motiongpt.motion.plausible import bone_problem


def amc_to_joints(
    motion: Path, skeleton: Path, files_fps: float, fps: float = 20.0, **settings: Any
) -> np.ndarray:
    """Joints of one motion, (T, 22, 3) float32 metres, Y up; arguments as of `captured_amc`."""
    return captured_amc(motion, skeleton, files_fps, fps, **settings).joints


def captured_amc(
    motion: Path,
    skeleton: Path,
    files_fps: float,
    fps: float = 20.0,
    mapping: JointMapping | None = None,
    metres_per_unit: float | None = None,
    up_axis: str | None = None,
    skip_first: int = 0,
) -> Captured:
    """One motion, its joints at `fps`.

    World position, height and heading are the file's own, and bones keep the performer's lengths.

    Args:
        motion: the AMC file.
        skeleton: the ASF file.
        files_fps: frames per second of the AMC file, which does not tell them.
        fps: of the joints.
        mapping: None takes the shipped one that fits the bones' names.
        metres_per_unit: instead of the mapping's: metres in one of the skeleton's `:units` length.
        up_axis: instead of the mapping's.
        skip_first: frames of the file to leave out.

    Raises:
        UserError: an unreadable or malformed file, no mapping fits, joints missing, or a body of
            no person's size.
    """
    asf = read_asf(skeleton)
    if mapping is None:
        mapping = mapping_for(asf.joint_names, str(skeleton))
    mapping = mapping.with_units(metres_per_unit, up_axis)
    parts = position_parts(read_amc(motion, asf))
    joints = mapped_positions(asf.joint_names, parts, mapping, str(motion))
    problem = bone_problem(joints)
    if problem is not None:
        raise UserError(f"{problem} by the joint mapping {mapping.name!r}")
    return captured_of(joints, files_fps, fps, str(motion), skip_first)


def read_amc_joints(
    motion: Path, skeleton: Path | str, **settings: float | str | JointMapping | None
) -> Captured | str:
    """As `captured_amc`, or why there are none: errors cross processes ill.

    Args:
        skeleton: the ASF file, or why there is none.
    """
    if isinstance(skeleton, str):
        return skeleton
    try:
        return captured_amc(motion, skeleton, **settings)  # type: ignore[arg-type]
    except UserError as error:
        return str(error)
