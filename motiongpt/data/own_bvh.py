"""BVH files that this package has written: by their joints and their unit they are found again.

Such a file has exactly the joints of one of the skeletons, in the order in which they are written,
under one of the names that are offered, and end sites 8 cm long, which say its unit. Files that
other programs have made of it are read by the joint mappings, as all others.
"""

from collections.abc import Sequence

import numpy as np

from motiongpt.data.bvh import Bvh
from motiongpt.data.joint_mapping import JointMapping, load_mapping, mapping_for
from motiongpt.motion.joint_names import NAMES, OWN, names_of
from motiongpt.motion.skeleton import HUMANML3D, KIT, Skeleton

END_SITE = 0.08  # metres
UNITS = (1.0, 0.01)  # metres


def mapping_of(bvh: Bvh, file: str) -> JointMapping:
    """How the joints of a file are found: our own one's exactly, others' by the shipped mappings.

    Raises:
        UserError: no mapping fits, or several do.
    """
    return own_mapping(bvh) or mapping_for(bvh.joint_names, file)


def own_mapping(bvh: Bvh) -> JointMapping | None:
    """The mapping of a file that `Motion.save` wrote; None of all others."""
    unit = own_unit(bvh)
    if unit is None:
        return None
    found = _joints(bvh)
    if found == _as_written(KIT, KIT.joint_names):
        return load_mapping(KIT.name).with_units(unit, None)
    for names in (OWN, *NAMES):
        theirs = names_of(HUMANML3D, names)
        if found == _as_written(HUMANML3D, theirs):
            pairs = zip(HUMANML3D.joint_names, theirs, strict=True)
            return JointMapping(names, unit, "Y", {ours: (name,) for ours, name in pairs})
    return None


def own_unit(bvh: Bvh) -> float | None:
    """Metres per unit by the length of the end sites; None where they are not ours."""
    ends = [np.linalg.norm(joint.offset) for joint in bvh.joints if not joint.channels]
    for unit in UNITS:
        if ends and np.allclose(np.array(ends) * unit, END_SITE, atol=1e-4):
            return unit
    return None


def _joints(bvh: Bvh) -> tuple[str, ...]:
    return tuple(joint.name for joint in bvh.joints if joint.channels)


def _as_written(skeleton: Skeleton, names: Sequence[str]) -> tuple[str, ...]:
    """Names in the order of a file: each joint, then all that hangs on it."""

    def below(joint: int) -> list[str]:
        hanging = (one for one, parent in enumerate(skeleton.parents) if parent == joint)
        return [names[joint], *(name for child in hanging for name in below(child))]

    return tuple(below(0))
