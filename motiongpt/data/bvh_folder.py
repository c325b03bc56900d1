"""A folder of BVH files with a captions file."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from motiongpt.data.bvh_reading import read_joints
from motiongpt.data.captioned_folder import CaptionedFolder, InOrder
from motiongpt.data.captured import Captured
from motiongpt.data.joint_mapping import load_mapping


class BvhFolderSource(CaptionedFolder):
    """As `CaptionedFolder`, of BVH files."""

    ending = ".bvh"

    def _joints(self, files: Mapping[str, Path], in_order: InOrder) -> Iterator[Captured | str]:
        read = partial(
            read_joints,
            mapping=None if self._mapping is None else load_mapping(self._mapping),
            metres_per_unit=self._metres_per_unit,
            up_axis=self._up_axis,
            fps=self.fps,
            skip_first=self._skip_first,
        )
        return in_order(read, files.values())
