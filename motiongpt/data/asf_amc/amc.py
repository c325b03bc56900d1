"""Reading AMC: the motion of an ASF skeleton, the angles of each bone frame by frame.

Lines go by one by one, so that a file takes the memory of its bytes and of its numbers; every
complaint names the file and the line. A file tells no frame rate. Shape letters: T frames, C
channels.
"""

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from motiongpt.data.asf_amc.asf import ROOT, TURNS, Asf
from motiongpt.data.bvh import MOST_BYTES, MOST_FRAMES, MOST_POSITIONS
from motiongpt.data.bvh_hierarchy import is_count, is_number
from motiongpt.data.text_lines import TextLines, no_text
from motiongpt.errors import UserError
from motiongpt.reading import read_bytes

WHAT = "an AMC file"


@dataclass(frozen=True)
class Amc:
    """One motion.

    Attributes:
        skeleton: that it moves.
        values: (T, C) float64: the root's, in its order, then the turns of each bone in the order
            of the skeleton; positions in the file's units, rotations in degrees.
    """

    skeleton: Asf
    values: np.ndarray


def channel_slices(skeleton: Asf) -> dict[str, slice]:
    """Columns of the values by name: the root, and the bones that turn."""
    found = {ROOT: slice(0, len(skeleton.root_order))}
    end = len(skeleton.root_order)
    for bone in skeleton.bones:
        if bone.dof:
            found[bone.name] = slice(end, end + len(bone.dof))
            end += len(bone.dof)
    return found


def read_amc(path: Path, skeleton: Asf) -> Amc:
    """Read one file.

    Raises:
        UserError: the file can't be read, or is no whole motion of this skeleton.
    """
    try:
        content = read_bytes(path, MOST_BYTES)
    except OSError as error:
        raise UserError(
            f"{path}: cannot read the AMC file: {error.strerror}; pass the path of an .amc file"
        ) from error
    return parse_amc(content, str(path), skeleton)


def parse_amc(content: bytes | str, name: str, skeleton: Asf) -> Amc:
    """Parse the text of one file; `name` stands in complaints.

    Raises:
        UserError: not UTF-8 text, or no whole motion of this skeleton (file, line, expectation).
    """
    try:
        return Amc(skeleton, _Reader(TextLines(content, name, WHAT), name, skeleton).read())
    except UnicodeDecodeError:
        assert isinstance(content, bytes)
        raise no_text(content, name, WHAT) from None


class _Reader:
    """Collects frame after frame; a frame is a line with its number, then a line for each bone."""

    def __init__(self, lines: TextLines, name: str, skeleton: Asf) -> None:
        self._lines, self._file = lines, name
        self._slices = channel_slices(skeleton)
        self._width = max(part.stop for part in self._slices.values())
        self._joints = len(skeleton.joint_names)
        self._order = skeleton.root_order
        self._bones = skeleton.bones
        self._radians = skeleton.radians
        self._values = array("d")
        self._frames = 0
        self._number = 0
        self._row: list[float] = []
        self._seen: set[str] = set()

    def read(self) -> np.ndarray:
        """(T, C)."""
        for line in self._lines:
            words = line.partition("#")[0].split()
            if not words:
                continue
            if words[0].startswith(":"):
                self._setting(words)
            elif len(words) == 1 and words[0].isdecimal():
                self._begin(words[0])
            else:
                self._bone(words)
        self._close()
        if not self._frames:
            raise self._wrong("frames of motion", "the end of the file")
        values = np.frombuffer(self._values, np.float64).reshape(self._frames, self._width).copy()
        if self._radians:
            turns = self._turns()
            values[:, turns] = np.rad2deg(values[:, turns])
        return values

    def _setting(self, words: Sequence[str]) -> None:
        """:FULLY-SPECIFIED, :DEGREES, :RADIANS; the last two say it of this file."""
        if self._frames or self._seen:
            raise self._wrong("frames of motion to the end", words[0])
        word = words[0].lower()
        if word in (":degrees", ":radians"):
            self._radians = word == ":radians"

    def _begin(self, word: str) -> None:
        self._close()
        if not is_count(word, 10**9):
            raise self._wrong("the number of a frame", word)
        number = int(word)
        if self._frames and number != self._number + 1:
            raise self._wrong(f"frame {self._number + 1} after {self._number}", word)
        if self._frames == MOST_FRAMES or (self._frames + 1) * self._joints > MOST_POSITIONS:
            raise self._wrong(
                f"at most {MOST_FRAMES:,} frames and {MOST_POSITIONS:,} positions", "more"
            )
        self._number = number
        self._frames += 1
        self._row = [math.nan] * self._width
        self._seen = set()

    def _close(self) -> None:
        """The frame is whole, or refused."""
        if not self._frames:
            return
        missing = [name for name in self._slices if name not in self._seen]
        if missing:
            raise self._wrong(
                f"all of {len(self._slices)} bones in frame {self._number}", f"no {missing[0]}"
            )
        self._values.extend(self._row)

    def _bone(self, words: Sequence[str]) -> None:
        if not self._frames:
            raise self._wrong("the number of the first frame", words[0])
        part = self._slices.get(words[0])
        if part is None:
            raise self._wrong("a bone of the ASF skeleton that turns", words[0])
        if words[0] in self._seen:
            raise self._wrong("each bone once in a frame", words[0])
        values = words[1:]
        if len(values) != part.stop - part.start:
            raise self._wrong(f"{part.stop - part.start} values of {words[0]}", f"{len(values)}")
        if not all(map(is_number, values)):
            raise self._wrong(f"finite numbers after {words[0]}", " ".join(values))
        self._row[part] = [float(value) for value in values]
        self._seen.add(words[0])

    def _turns(self) -> np.ndarray:
        """Columns that are angles, (C,) bool."""
        of_root = [channel in TURNS for channel in self._order]
        return np.array(of_root + [True] * (self._width - len(of_root)))

    def _wrong(self, expected: str, found: str) -> UserError:
        return UserError(
            f"{self._file}:{max(1, self._lines.number)}: expected {expected}, found {found[:60]!r}"
        )
