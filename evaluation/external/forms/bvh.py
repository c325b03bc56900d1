"""BVH files, by the joint mappings that a folder of one's own capture is read with.

Shape letters: T frames, J joints.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from evaluation.external.forms.base import Options, Target
from evaluation.external.forms.joint_form import JointForm
from motiongpt.data.bvh import Bvh, read_bvh
from motiongpt.data.bvh_joints import mapped_joints
from motiongpt.data.joint_mapping import JointMapping, load_mapping
from motiongpt.data.own_bvh import mapping_of
from motiongpt.motion.skeleton import HUMANML3D, Skeleton


class BvhFiles(JointForm):
    """`.bvh`: joints by a mapping, at the frame rate that the file says."""

    name = "bvh"
    ending = ".bvh"
    expects = "a BVH file whose joints a mapping knows"
    takes = frozenset({"metres_per_unit", "up_axis", "mapping"})

    def __init__(self, options: Options, target: Target) -> None:
        super().__init__(options, target)
        self._known = None if options.mapping is None else load_mapping(options.mapping)
        self._used = JointMapping("", 1.0, "Y", {})  # by the file that was read last

    @classmethod
    def fits(cls, path: Path, skeleton: Skeleton) -> bool:
        """See `Form.fits`: by its ending; what is wrong with such a file, reading it says."""
        return skeleton.name == HUMANML3D.name

    def up_axis(self, path: Path) -> str:
        """See `JointForm.up_axis`."""
        return self._used.up_axis

    def look(self, sample: Sequence[Path]) -> Mapping[str, str]:
        """See `Form.look`."""
        said = super().look(sample)
        unit = f"{self._used.metres_per_unit:g} m"
        return {"joint mapping": self._used.name, **said, "unit": unit}

    def raw(self, path: Path) -> tuple[np.ndarray, float | None]:
        """See `JointForm.raw`; in metres already, Y up."""
        bvh = read_bvh(path)
        self._used = self._mapping(bvh, path)
        return mapped_joints(bvh, self._used, bvh.fps, str(path)).astype(np.float32), bvh.fps

    def placed(self, joints: np.ndarray, path: Path) -> np.ndarray:
        """See `JointForm.placed`: the mapping has done it."""
        return joints

    def _mapping(self, bvh: Bvh, path: Path) -> JointMapping:
        found = self._known or mapping_of(bvh, f"{path}:{bvh.motion_line}")
        return found.with_units(self.options.metres_per_unit, self.options.up_axis)
