"""Which joints of a BVH file stand for the 22 joints of the HumanML3D skeleton, from a yaml file.

    name: mine
    metres_per_unit: 0.01        # the file's lengths are centimetres
    up_axis: Y                   # or Z
    prefix: '.*:'                # a regular expression for what comes before the names in a file
    joints:
      pelvis: Hips
      spine2: [Spine, Chest]     # the mean of several joints
      ...                        # one entry for each of the 22 names
    restore: [Chest]             # joints whose bone to their children the files leave out

An end site is called "<its joint>/End". Shape letters: T frames, J joints.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from motiongpt.errors import UserError
from motiongpt.motion.axes import from_z_up
from motiongpt.motion.skeleton import HUMANML3D
from motiongpt.reading import read_text
from motiongpt.yaml_files import parse_yaml

KEYS = {"name", "metres_per_unit", "up_axis", "prefix", "joints", "restore"}
MAPPINGS = Path(__file__).parent / "mappings"
# In the pattern of a prefix; with them, all names of a large file take seconds.
MOST_PREFIX, MOST_REPEATS, MOST_CHOICES = 200, 2, 6
LONGEST_PREFIX = 100  # letters of a name that it may match


@dataclass(frozen=True)
class JointMapping:
    """Source joints of each target joint; `joints` is in the order of `HUMANML3D.joint_names`.

    Attributes:
        restore: joints of the file whose children lie where they do, because a conversion has left
            out the bone between: see `bvh_joints.with_restored`.
    """

    name: str
    metres_per_unit: float
    up_axis: str
    joints: Mapping[str, tuple[str, ...]]
    prefix: str = ""
    restore: tuple[str, ...] = ()

    def missing(self, joint_names: Iterable[str]) -> list[str]:
        """Joints that the mapping needs and `joint_names` has not, or more than once, sorted."""
        found = Counter(self.bare(name) for name in joint_names)
        return sorted(name for name in self.wanted() if found[name] != 1)

    def wanted(self) -> frozenset[str]:
        """The joints of a file that it takes."""
        return frozenset(source for sources in self.joints.values() for source in sources)

    def apply(self, joint_names: tuple[str, ...], positions: np.ndarray, file: str) -> np.ndarray:
        """Positions (T, J, 3) in the file's units and axes to (T, 22, 3) metres, Y up.

        Raises:
            UserError: `file` lacks joints of the mapping.
        """
        missing = self.missing(joint_names)
        if missing:
            raise UserError(
                f"{file}: expected joint {', '.join(missing)}, which the joint mapping "
                f"{self.name!r} needs; the file has {', '.join(joint_names)}"
            )
        index = {self.bare(name): i for i, name in enumerate(joint_names)}
        columns = [
            positions[:, [index[source] for source in sources]].mean(axis=1)
            for sources in self.joints.values()
        ]
        joints = np.stack(columns, axis=1) * self.metres_per_unit
        if self.up_axis == "Z":
            joints = from_z_up(joints)
        return joints

    def with_units(self, metres_per_unit: float | None, up_axis: str | None) -> "JointMapping":
        """The same with another unit or axis up where one is given."""
        return replace(
            self,
            metres_per_unit=metres_per_unit or self.metres_per_unit,
            up_axis=up_axis or self.up_axis,
        )

    def bare(self, name: str) -> str:
        """A joint's name in a file without the prefix."""
        head, rest = name[:LONGEST_PREFIX], name[LONGEST_PREFIX:]
        return re.sub(f"^(?:{self.prefix})", "", head, flags=re.IGNORECASE) + rest


def load_mapping(name: str | Path) -> JointMapping:
    """A mapping that comes with the package, by its name, or any other by the path of its yaml.

    Raises:
        UserError: no such mapping or file, or the yaml does not map the 22 joints.
    """
    path = mapping_file(name)
    where = f"mapping {name}" if path in mapping_files() else str(path)
    try:
        return _parse(read_text(path, "utf-8-sig"), where)
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot read the joint mapping as text: {error}") from error


def mapping_file(name: str | Path) -> Path:
    """The yaml of a mapping that comes with the package, by its name, or of any other by its path.

    Raises:
        UserError: no such mapping or file.
    """
    shipped = {path.stem: path for path in mapping_files()}
    path = shipped.get(str(name), Path(name))
    if path.suffix not in (".yaml", ".yml") or not path.is_file():
        raise UserError(
            f"no joint mapping {name}: give the path of a yaml file, or one of {', '.join(shipped)}"
        )
    return path


def mapping_files() -> list[Path]:
    """The yaml files of the mappings that come with the package, by name."""
    return sorted(MAPPINGS.glob("*.yaml"))


@cache
def shipped_mappings() -> tuple[JointMapping, ...]:
    """The mappings that come with the package, by name."""
    return tuple(map(load_mapping, (path.stem for path in mapping_files())))


def mapping_for(joint_names: tuple[str, ...], file: str) -> JointMapping:
    """The one shipped mapping whose joints `file` has, whatever name stands before all of them.

    Of several, the one that takes all that the others take, and more: a spine of four joints has
    the three of a shorter one.

    Raises:
        UserError: none fits, or several do (their units differ, so none is picked by chance).
    """
    fitting = fitting_mappings(joint_names)
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        names = ", ".join(m.name for m in fitting)
        raise UserError(f"{file}: several joint mappings fit ({names}): name one")
    closest = min(shipped_mappings(), key=lambda m: len(m.missing(joint_names)))
    raise UserError(
        f"{file}: no joint mapping fits; the closest, {closest.name!r}, expects joint "
        f"{', '.join(closest.missing(joint_names))}; the file's joints are "
        f"{', '.join(joint_names)}: `motiongpt data mapping FILE` writes a mapping of them; name it"
    )


def fitting_mappings(joint_names: tuple[str, ...]) -> list[JointMapping]:
    """Shipped mappings whose joints are all there; one alone where it takes all that others do."""
    fitting = [m for m in shipped_mappings() if not m.missing(joint_names)]
    if not fitting and (shared := shared_prefix(joint_names)):
        renamed = [replace(m, prefix=re.escape(shared)) for m in shipped_mappings()]
        fitting = [m for m in renamed if not m.missing(joint_names)]
    for one in fitting:
        if all(other.wanted() < one.wanted() for other in fitting if other is not one):
            return [one]
    return fitting


def shared_prefix(joint_names: Sequence[str]) -> str:
    """What stands before all joints' names, mostly a character's, up to its last `:` `|` or `_`."""
    first, last = min(joint_names), max(joint_names)  # all others lie between these two
    length = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), 0)
    common = first[: min(length, LONGEST_PREFIX)]
    return common[: max(common.rfind(mark) for mark in ":|_") + 1]


def _parse(text: str, where: str) -> JointMapping:
    content = parse_yaml(text, where)
    if not isinstance(content, dict) or not isinstance(content.get("joints"), dict):
        raise UserError(f"{where}: expected name, metres_per_unit and joints")
    unknown = set(content) - KEYS
    if unknown:
        raise UserError(f"{where}: unknown key {', '.join(sorted(map(str, unknown)))}")
    up_axis = str(content.get("up_axis", "Y")).upper()
    if up_axis not in ("Y", "Z"):
        raise UserError(f"{where}: up_axis is Y or Z, not {up_axis}")
    restore = content.get("restore", [])
    if not isinstance(restore, list):
        raise UserError(f"{where}: restore is a list of joints, not {str(restore)[:60]!r}")
    return JointMapping(
        name=str(content.get("name", where)),
        metres_per_unit=_scale(content.get("metres_per_unit"), where),
        up_axis=up_axis,
        joints=_sources(content["joints"], where),
        prefix=_pattern(content.get("prefix", ""), where),
        restore=tuple(map(str, restore)),
    )


def _pattern(value: Any, where: str) -> str:
    """A prefix that no name can keep busy: groups that repeat could backtrack for ever."""
    pattern = str(value)
    try:
        if len(pattern) <= MOST_PREFIX:
            re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise UserError(f"{where}: prefix {value!r} is no regular expression: {error}") from error
    plain = re.sub(r"\\.", "a", pattern, flags=re.DOTALL).replace("(?:", "(")
    choices = plain.count("?") + plain.count("|") * ("(" in plain)  # plain alternatives are free
    if (
        len(pattern) > MOST_PREFIX
        or sum(map(plain.count, "*+{")) > MOST_REPEATS
        or choices > MOST_CHOICES
        or re.search(r"\)[*+{]", plain)
    ):
        raise UserError(
            f"{where}: prefix {pattern[:60]!r}: expected at most {MOST_PREFIX} letters, "
            f"{MOST_REPEATS} of * + {{, none of them after a group, and {MOST_CHOICES} of ? |"
        )
    return pattern


def _scale(value: Any, where: str) -> float:
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not math.isfinite(value)
        or value <= 0
    ):
        raise UserError(
            f"{where}: metres_per_unit must be a number above zero (0.01 for centimetres), "
            f"not {value!r}"
        )
    return float(value)


def _sources(joints: Mapping[str, Any], where: str) -> dict[str, tuple[str, ...]]:
    absent = [name for name in HUMANML3D.joint_names if not joints.get(name)]
    unknown = sorted(set(map(str, joints)) - set(HUMANML3D.joint_names))
    if absent or unknown:
        parts = [f"no source for {', '.join(absent)}"] if absent else []
        parts += [f"unknown joint {', '.join(unknown)}"] if unknown else []
        raise UserError(
            f"{where}: {'; '.join(parts)}; the joints are {', '.join(HUMANML3D.joint_names)}"
        )
    return {
        name: tuple(map(str, joints[name]))
        if isinstance(joints[name], list)
        else (str(joints[name]),)
        for name in HUMANML3D.joint_names
    }
