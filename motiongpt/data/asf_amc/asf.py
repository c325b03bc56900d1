"""Reading ASF: a skeleton of bones, each with a direction, a length and axes of its own.

The format is Acclaim's Skeleton File Definition, version 1.10. A bone begins where its parent
ends. Of a file the sections `:units`, `:root`, `:bonedata` and `:hierarchy` are used; every
complaint names the file and the line.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from motiongpt.data.bvh_forward import about_axis
from motiongpt.data.bvh_hierarchy import MOST_JOINTS, is_number
from motiongpt.data.text_lines import TextLines, no_text
from motiongpt.errors import UserError
from motiongpt.reading import read_bytes

WHAT = "an ASF file"
MOST_BYTES = 4 << 20  # a body's skeleton has some 10 kB
ROOT = "root"
TURNS = ("rx", "ry", "rz")
MOVES = ("tx", "ty", "tz")
_PLAIN = str.maketrans(",()", "   ")  # of the format: they count as blanks


@dataclass(frozen=True)
class AsfBone:
    """One bone.

    Attributes:
        name: as written.
        parent: its index among the bones, which comes before its own; -1 for the root.
        offset: (3,) from where it begins to where it ends, at rest, in the axes of the world and
            the file's units.
        axes: (3, 3) rotation; its turns are about these axes of the world.
        dof: the turns that motions give, of `TURNS`; the first is applied first.
    """

    name: str
    parent: int
    offset: np.ndarray
    axes: np.ndarray
    dof: tuple[str, ...]


@dataclass(frozen=True)
class Asf:
    """One skeleton.

    Attributes:
        bones: parents first.
        root_order: what motions give of the root, of `MOVES` and `TURNS`; the first turn is
            applied first.
        root_axes: (3, 3) rotation; the root's turns are about these axes of the world.
        root_position: (3,) where it is before motions move it, in the file's units.
        length: units of the file in one of `:units`; CMU's have 0.45 in an inch.
        radians: angles are in radians, not degrees.
    """

    bones: tuple[AsfBone, ...]
    root_order: tuple[str, ...]
    root_axes: np.ndarray
    root_position: np.ndarray
    length: float
    radians: bool

    @property
    def joint_names(self) -> tuple[str, ...]:
        """The root; each bone, where it begins; and "<bone>/End" where one without child ends."""
        names = tuple(bone.name for bone in self.bones)
        return (ROOT, *names, *(f"{names[leaf]}/End" for leaf in self.leaves))

    @property
    def leaves(self) -> tuple[int, ...]:
        """Indices of the bones from which no other goes on."""
        parents = {bone.parent for bone in self.bones}
        return tuple(index for index in range(len(self.bones)) if index not in parents)


def read_asf(path: Path) -> Asf:
    """Read one file.

    Raises:
        UserError: the file can't be read, or is not a whole ASF file (file, line, expectation).
    """
    try:
        content = read_bytes(path, MOST_BYTES)
    except OSError as error:
        raise UserError(
            f"{path}: cannot read the ASF file: {error.strerror}; pass the path of an .asf file"
        ) from error
    return parse_asf(content, str(path))


def parse_asf(content: bytes | str, name: str) -> Asf:
    """Parse the text of one file; `name` stands in complaints.

    Raises:
        UserError: not UTF-8 text, or not a whole ASF file (file, line, expectation).
    """
    try:
        return _Parser(TextLines(content, name, WHAT), name).parse()
    except UnicodeDecodeError:
        assert isinstance(content, bytes)
        raise no_text(content, name, WHAT) from None


@dataclass
class _Bone:
    """A bone while it is read."""

    line: int
    name: str = ""
    direction: list[float] = field(default_factory=list)
    length: float = math.nan
    axis: list[float] = field(default_factory=list)
    order: str = "xyz"
    dof: tuple[str, ...] = ()


class _Parser:
    """Goes through the lines once; a line is its words, without comment."""

    def __init__(self, lines: TextLines, name: str) -> None:
        self._lines = lines
        self._file = name
        self._length, self._radians = 1.0, False
        self._root: dict[str, list[str]] = {}
        self._bones: dict[str, _Bone] = {}
        self._children: dict[str, list[str]] = {}
        self._placed: set[str] = {ROOT}
        self._sections: Mapping[str, Callable[[Sequence[str]], None]] = {
            "units": self._unit, "root": self._of_root, "bonedata": self._bone,
            "hierarchy": self._relation,
        }  # fmt: skip

    def parse(self) -> Asf:
        section: Callable[[Sequence[str]], None] | None = None
        found = set()
        for words in self._rows():
            if words[0].startswith(":"):
                found.add(words[0][1:].lower())
                section = self._sections.get(words[0][1:].lower())
            elif section is not None:
                section(words)
        missing = [name for name in ("root", "bonedata", "hierarchy") if name not in found]
        if missing:
            raise self._wrong(f"the section :{missing[0]}", "the end of the file")
        return self._skeleton()

    def _rows(self) -> Iterator[list[str]]:
        for line in self._lines:
            words = line.partition("#")[0].translate(_PLAIN).split()
            if words:
                yield words

    def _unit(self, words: Sequence[str]) -> None:
        key = words[0].lower()
        if key == "length":
            (self._length,) = self._numbers(words, 1)
            if self._length <= 0:
                raise self._wrong("a length above zero", words[1])
        elif key == "angle":
            self._radians = self._one_of(words, ("deg", "rad")) == "rad"

    def _of_root(self, words: Sequence[str]) -> None:
        self._root[words[0].lower()] = [word.lower() for word in words[1:]]
        if words[0].lower() in ("position", "orientation"):
            self._numbers(words, 3)

    def _bone(self, words: Sequence[str]) -> None:
        if words[0].lower() != "begin":
            raise self._wrong("begin, or the next section", words[0])
        bone = _Bone(self._lines.number)
        for words in self._rows():
            key = words[0].lower()
            if key == "end":
                return self._add(bone)
            if key.startswith(":") or key == "begin":
                raise self._wrong("end of a bone", words[0])
            self._property(bone, key, words)
        raise self._wrong("end of a bone", "the end of the file")

    def _property(self, bone: _Bone, key: str, words: Sequence[str]) -> None:
        """One line of a bone; its limits, mass and number are not used."""
        if key == "name":
            bone.name = " ".join(words[1:])
        elif key == "direction":
            bone.direction = self._numbers(words, 3)
        elif key == "length":
            (bone.length,) = self._numbers(words, 1)
        elif key == "axis":
            bone.axis, bone.order = self._numbers(words[:4], 3), self._order(words[4:])
        elif key == "dof":
            bone.dof = tuple(word.lower() for word in words[1:])
            unknown = [word for word in bone.dof if word not in TURNS]
            if unknown or len(set(bone.dof)) != len(bone.dof):
                raise self._wrong("some of rx, ry, rz, each once", " ".join(words[1:]))

    def _add(self, bone: _Bone) -> None:
        if not bone.name or not bone.direction or math.isnan(bone.length):
            raise self._wrong("name, direction and length in a bone", bone.name or "none")
        if bone.name in self._bones or bone.name == ROOT:
            raise self._wrong("a name of its own for each bone", bone.name)
        if len(self._bones) == MOST_JOINTS:
            raise self._wrong(f"at most {MOST_JOINTS:,} bones", "more")
        self._bones[bone.name] = bone

    def _relation(self, words: Sequence[str]) -> None:
        if words[0].lower() in ("begin", "end") and len(words) == 1:
            return
        for name in words:
            if name != ROOT and name not in self._bones:
                raise self._wrong("names of bones", name)
        for child in words[1:]:
            if child in self._placed:
                raise self._wrong("one parent for each bone", f"a second of {child}")
            self._placed.add(child)
        self._children.setdefault(words[0], []).extend(words[1:])

    def _skeleton(self) -> Asf:
        order = tuple(self._root.get("order", [*MOVES, *TURNS]))
        if sorted(order) != sorted((*MOVES, *TURNS)):
            raise UserError(
                f"{self._file}: expected an order of the root with tx ty tz rx ry rz, "
                f"found {' '.join(order)[:60]!r}"
            )
        orientation = [float(word) for word in self._root.get("orientation", ["0"] * 3)]
        root_axes = self._rotation(orientation, self._order(self._root.get("axis", [])))
        return Asf(
            bones=tuple(self._in_order()),
            root_order=order,
            root_axes=root_axes,
            root_position=np.array([float(word) for word in self._root.get("position", ["0"] * 3)]),
            length=self._length,
            radians=self._radians,
        )

    def _in_order(self) -> Iterator[AsfBone]:
        """Parents before children: from the root on, so that a ring of bones is not reached."""
        indices = {ROOT: -1}
        waiting = [(ROOT, child) for child in self._children.get(ROOT, [])]
        at = 0
        while at < len(waiting):
            parent, name = waiting[at]
            indices[name] = at
            bone = self._bones[name]
            yield AsfBone(
                name,
                indices[parent],
                self._offset(bone),
                self._rotation(bone.axis or [0.0] * 3, bone.order),
                bone.dof,
            )
            waiting += [(name, child) for child in self._children.get(name, [])]
            at += 1
        loose = [name for name in self._bones if name not in indices]
        if loose:
            raise UserError(
                f"{self._file}: expected every bone in the :hierarchy below the root, "
                f"{loose[0][:60]!r} is not"
            )
        if not waiting:
            raise UserError(f"{self._file}: expected bones below the root, found none")

    def _offset(self, bone: _Bone) -> np.ndarray:
        """(3,); a direction is of length one, which files give to five digits or so."""
        direction = np.array(bone.direction)
        size = float(np.linalg.norm(direction))
        if not 0.9 < size < 1.1 and bone.length:
            raise UserError(
                f"{self._file}:{bone.line}: expected a direction of length 1 in bone "
                f"{bone.name[:60]!r}, found one of {size:.3g}"
            )
        return direction * bone.length

    def _rotation(self, angles: Sequence[float], order: str) -> np.ndarray:
        """(3, 3): turns about the world's axes by angles that stand in their order, first first."""
        rotation = np.eye(3)
        for axis, angle in zip(order, angles, strict=True):
            degrees = math.degrees(angle) if self._radians else angle
            rotation = about_axis("xyz".index(axis), np.array([degrees]))[0] @ rotation
        return rotation

    def _order(self, words: Sequence[str]) -> str:
        order = "".join(words).lower() or "xyz"
        if sorted(order) != ["x", "y", "z"]:
            raise self._wrong("an order of the axes, such as XYZ", order)
        return order

    def _numbers(self, words: Sequence[str], count: int) -> list[float]:
        values = words[1:]
        if len(values) != count or not all(map(is_number, values)):
            raise self._wrong(f"{count} finite numbers after {words[0]}", " ".join(values))
        return [float(value) for value in values]

    def _one_of(self, words: Sequence[str], choices: Sequence[str]) -> str:
        value = "".join(words[1:]).lower()
        if value not in choices:
            raise self._wrong(f"{words[0]} {' or '.join(choices)}", value)
        return value

    def _wrong(self, expected: str, found: str) -> UserError:
        return UserError(
            f"{self._file}:{max(1, self._lines.number)}: expected {expected}, found {found[:60]!r}"
        )
