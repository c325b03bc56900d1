"""Reading many BVH files, in this process or several.

Shape letters: T frames.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from motiongpt.data.bvh import read_bvh
from motiongpt.data.bvh_joints import mapped_joints
from motiongpt.data.joint_mapping import JointMapping
from motiongpt.data.own_bvh import mapping_of
from motiongpt.errors import UserError
from motiongpt.motion.plausible import bone_problem


def read_joints(
    path: Path,
    mapping: JointMapping | None,
    metres_per_unit: float | None,
    up_axis: str | None,
    fps: float,
) -> np.ndarray | str:
    """Joints (T, 22, 3) float32 of one file, or why there are none: errors cross processes ill."""
    try:
        bvh = read_bvh(path)
        if mapping is None:
            mapping = mapping_of(bvh, f"{path}:{bvh.motion_line}")
        joints = mapped_joints(bvh, mapping.with_units(metres_per_unit, up_axis), fps, str(path))
    except UserError as error:
        return str(error)
    problem = bone_problem(joints)
    return joints if problem is None else f"{problem} by the joint mapping {mapping.name!r}"


@contextmanager
def mapper(workers: int) -> Iterator[Callable[..., Iterator[np.ndarray | str]]]:
    """`map` in this process, or one over processes that keeps the order."""
    if workers < 1:
        yield map
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield partial(pool.map, chunksize=8)
