"""A joint mapping for a file that nobody has mapped yet, and the yaml of it.

Shape letters: T frames, J joints.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from motiongpt.data.bvh import Bvh
from motiongpt.data.bvh_forward import world_positions
from motiongpt.data.bvh_joints import with_restored
from motiongpt.data.joint_guess import guess_joints
from motiongpt.data.joint_mapping import JointMapping, fitting_mappings
from motiongpt.data.mapping_doubts import mapping_doubts
from motiongpt.data.unit_guess import UnitGuess, guess_units
from motiongpt.errors import UserError
from motiongpt.motion.skeleton import HUMANML3D

LOOKED_AT = 60  # frames, evenly spaced: bones are as long in all of them
_NAMESPACE = "[:|]"


@dataclass(frozen=True)
class FoundMapping:
    """A mapping and what speaks for it.

    Attributes:
        mapping: of the file.
        shipped: name of the shipped mapping that has these joints; None where they are a guess.
        units: unit and axis, guessed from the body.
        differs: what the shipped mapping says otherwise of unit and axis; empty where nothing.
        doubts: joints that are likely wrong.
        positions: (T, J, 3) of the frames looked at, in the file's units and axes.
        joints: (T, 22, 3) of the same frames, metres, Y up.
    """

    mapping: JointMapping
    shipped: str | None
    units: UnitGuess
    differs: str
    doubts: tuple[str, ...]
    positions: np.ndarray
    joints: np.ndarray


def find_mapping(bvh: Bvh, file: str, given: JointMapping | None = None) -> FoundMapping:
    """The mapping of a file: a shipped one that fits, else a guess by names and hierarchy.

    Args:
        file: stands in complaints.
        given: look at this one instead; its unit and axis stay.

    Raises:
        UserError: joints that nothing was found for, each by name; a body that stands on no axis.
    """
    looked = np.linspace(0, len(bvh.values) - 1, min(LOOKED_AT, len(bvh.values))).astype(int)
    bvh = replace(bvh, values=bvh.values[looked])
    fitting = fitting_mappings(bvh.joint_names)
    base = given or (fitting[0] if len(fitting) == 1 else None)
    guessed = base is None
    if base is None:
        base = _guessed(bvh, file)
    bvh = with_restored(bvh, base)
    positions = world_positions(bvh)
    native = replace(base, metres_per_unit=1.0, up_axis="Y")
    plain = native.apply(bvh.joint_names, positions, file)
    named = {name: plain[:, index] for index, name in enumerate(HUMANML3D.joint_names)}
    units = guess_units(named, file)
    differs = "" if guessed else _difference(base, units)
    found = base.with_units(units.metres_per_unit, units.up_axis)
    mapping = found if guessed or (differs and not given) else base
    joints = mapping.apply(bvh.joint_names, positions, file)
    return FoundMapping(
        mapping=mapping,
        shipped=None if guessed or given else base.name,
        units=units,
        differs=differs,
        doubts=tuple(mapping_doubts(joints)),
        positions=positions,
        joints=joints,
    )


def mapping_text(mapping: JointMapping, comments: Sequence[str] = ()) -> str:
    """The yaml that `load_mapping` reads."""
    lines = [f"# {comment}" for comment in comments]
    lines.append(f"name: {_scalar(mapping.name)}")
    if mapping.prefix:
        lines.append(f"prefix: {_scalar(mapping.prefix)}")
    lines.append(f"metres_per_unit: {mapping.metres_per_unit:g}")
    lines += [f"up_axis: {mapping.up_axis}", "joints:"]
    for target, sources in mapping.joints.items():
        shown = [_scalar(source) for source in sources]
        lines.append(f"  {target}: {shown[0] if len(shown) == 1 else '[' + ', '.join(shown) + ']'}")
    if mapping.restore:
        lines.append(f"restore: [{', '.join(map(_scalar, mapping.restore))}]")
    return "\n".join(lines) + "\n"


def _guessed(bvh: Bvh, file: str) -> JointMapping:
    found = guess_joints(bvh.joints, world_positions(bvh))
    if found.missing:
        raise UserError(
            f"{file}: no joint found for {', '.join(found.missing)} among "
            f"{', '.join(bvh.joint_names)}; write the mapping by hand: copy one of "
            "motiongpt/data/mappings, whose README.md says what the 22 names mean"
        )
    prefix = ".*" + _NAMESPACE
    spaced = all(re.match(prefix, name) for name in bvh.joint_names)
    joints = {
        target: tuple(re.sub(f"^{prefix}", "", one) if spaced else one for one in sources)
        for target, sources in found.joints.items()
    }
    return JointMapping(Path(file).stem, 1.0, "Y", joints, prefix if spaced else "")


def _difference(shipped: JointMapping, units: UnitGuess) -> str:
    """A child is no reason to doubt a unit: one that gives a body is as good as another."""
    parts = []
    if not 0.6 < shipped.metres_per_unit / units.metres_per_unit < 1 / 0.6:
        parts.append(f"metres_per_unit {shipped.metres_per_unit:g} -> {units.metres_per_unit:g}")
    if shipped.up_axis != units.up_axis:
        parts.append(f"up_axis {shipped.up_axis} -> {units.up_axis}")
    return ", ".join(parts)


def _scalar(value: Any) -> str:
    """As yaml writes it, quoted where it must be."""
    return yaml.safe_dump(value, default_flow_style=True, width=10_000).split("\n...")[0].strip()
