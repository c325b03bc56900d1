"""Reading many BVH files, in this process or several."""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from motiongpt.data.bvh import read_bvh
from motiongpt.data.captured import Captured, captured
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
    skip_first: int = 0,
) -> Captured | str:
    """What one file holds, or why it can't be used: errors cross processes ill."""
    try:
        bvh = read_bvh(path)
        if mapping is None:
            mapping = mapping_of(bvh, f"{path}:{bvh.motion_line}")
        mapping = mapping.with_units(metres_per_unit, up_axis)
        found = captured(bvh, mapping, fps, str(path), skip_first)
    except UserError as error:
        return str(error)
    problem = bone_problem(found.joints)
    return found if problem is None else f"{problem} by the joint mapping {mapping.name!r}"


@contextmanager
def mapper(workers: int) -> Iterator[Callable[..., Iterator[Captured | str]]]:
    """`map` in this process, or one over processes that keeps the order."""
    if workers < 1:
        yield map
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield partial(pool.map, chunksize=8)
