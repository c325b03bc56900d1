"""All parts, in the order in which they need each other."""

from motiongpt.errors import UserError
from tests.benchmarks.humanml3d_size import data_parts, evaluation_part, stages
from tests.benchmarks.humanml3d_size.part import Part

PARTS = {part.name: part for part in (*data_parts.PARTS, *evaluation_part.PARTS, *stages.PARTS)}


def part_named(name: str) -> Part:
    """The part of this name.

    Raises:
        UserError: there is none; the valid names are listed.
    """
    if name not in PARTS:
        raise UserError(f"no part {name!r}; choose some of: {', '.join(PARTS)}")
    return PARTS[name]
