"""Reading BVH: a hierarchy of joints with channels, and one row of channel values per frame.

Parsed token by token, so tabs, spaces and line ends don't matter; every complaint names the file
and the line. Shape letters: T frames, C channels, J joints.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from motiongpt.errors import UserError

CHANNELS = ("Xposition", "Yposition", "Zposition", "Xrotation", "Yrotation", "Zrotation")
_CANONICAL = {channel.lower(): channel for channel in CHANNELS}


@dataclass(frozen=True)
class BvhJoint:
    """One node of the hierarchy.

    Attributes:
        name: as written; an end site is called "<parent>/End" and has no channels.
        parent: index of the parent, -1 for the root; a parent comes before its children.
        offset: (3,) in the file's units, from the parent.
        channels: names from `CHANNELS` in the order of the values.
        first_channel: column of the first of them in a row of values.
    """

    name: str
    parent: int
    offset: tuple[float, float, float]
    channels: tuple[str, ...]
    first_channel: int


@dataclass(frozen=True)
class Bvh:
    """One file: `values` is (T, C) float64, positions in the file's units, rotations in degrees."""

    joints: tuple[BvhJoint, ...]
    values: np.ndarray
    frame_time: float

    @property
    def joint_names(self) -> tuple[str, ...]:
        """J names, in the order of the hierarchy."""
        return tuple(joint.name for joint in self.joints)

    @property
    def fps(self) -> float:
        """Frames per second; whole where the file's rounded frame time means a whole number.

        Files write 30 frames per second as 0.0333333 seconds, which is not 1 / 30.
        """
        fps = 1.0 / self.frame_time
        return float(round(fps)) if abs(fps - round(fps)) < 1e-3 * fps else fps


def read_bvh(path: Path) -> Bvh:
    """Read one file.

    Raises:
        UserError: the file can't be read, or is not a whole BVH file (file, line, expectation).
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot read the BVH file: {error.strerror}") from error
    return parse_bvh(content, str(path))


def parse_bvh(content: bytes | str, name: str) -> Bvh:
    """Parse the text of one file; `name` stands in complaints.

    Raises:
        UserError: not UTF-8 text, or not a whole BVH file (file, line, expectation).
    """
    if isinstance(content, bytes):
        try:
            content = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise UserError(f"{name}: not a BVH file: not UTF-8 text ({error.reason})") from error
    lines = content.splitlines()
    motion = next((i for i, line in enumerate(lines) if line.strip() == "MOTION"), None)
    if motion is None:
        raise UserError(f"{name}:{len(lines)}: expected MOTION, found the end of the file")
    joints = _Hierarchy(lines[:motion], name).parse()
    width = sum(len(joint.channels) for joint in joints)
    n_frames, frame_time, first = _motion_header(lines, motion + 1, name)
    rows = [(i, line.split()) for i, line in enumerate(lines[first:], first + 1)]
    values = _values([row for row in rows if row[1]], width, name, len(lines))
    if len(values) != n_frames:
        raise UserError(
            f"{name}:{len(lines)}: expected {n_frames} rows of motion, as 'Frames:' says, "
            f"found {len(values)}"
        )
    return Bvh(joints, values, frame_time)


class _Hierarchy:
    """Recursive descent over the tokens before MOTION."""

    def __init__(self, lines: list[str], name: str) -> None:
        self._tokens: Iterator[tuple[str, int]] = (
            (token, number) for number, line in enumerate(lines, 1) for token in line.split()
        )
        self._file = name
        self._line = 1
        self._end = len(lines) + 1
        self._joints: list[BvhJoint] = []
        self._n_channels = 0

    def parse(self) -> tuple[BvhJoint, ...]:
        self._expect("HIERARCHY")
        self._expect("ROOT")
        self._joint(self._next("the name of the root"), -1)
        extra = next(self._tokens, None)
        if extra is not None:
            self._line = extra[1]
            raise self._wrong("MOTION after the root joint", extra[0])
        return tuple(self._joints)

    def _joint(self, name: str, parent: int) -> None:
        """A joint from '{' to its '}', its children included."""
        if any(joint.name == name for joint in self._joints):
            raise UserError(f"{self._file}:{self._line}: two joints are called {name!r}")
        self._expect("{")
        offset = self._offset()
        channels = self._channels()
        index = len(self._joints)
        self._joints.append(BvhJoint(name, parent, offset, channels, self._n_channels))
        self._n_channels += len(channels)
        while (token := self._next("JOINT, End Site or }")) != "}":
            if token == "JOINT":
                self._joint(self._next("a joint's name"), index)
            elif token == "End":
                self._expect("Site")
                self._end_site(name, index)
            else:
                raise self._wrong("JOINT, End Site or }", token)

    def _end_site(self, parent_name: str, parent: int) -> None:
        self._expect("{")
        self._joints.append(
            BvhJoint(f"{parent_name}/End", parent, self._offset(), (), self._n_channels)
        )
        self._expect("}")

    def _offset(self) -> tuple[float, float, float]:
        self._expect("OFFSET")
        return self._number(), self._number(), self._number()

    def _number(self) -> float:
        token = self._next("a number")
        if not _is_number(token):
            raise self._wrong("a number", token)
        return float(token)

    def _channels(self) -> tuple[str, ...]:
        self._expect("CHANNELS")
        count = self._next("the number of channels")
        if not count.isdigit() or int(count) > len(CHANNELS):
            raise self._wrong("a number of channels from 0 to 6", count)
        channels: list[str] = []
        for _ in range(int(count)):
            token = self._next("a channel's name")
            channel = _CANONICAL.get(token.lower())
            if channel is None or channel in channels:
                raise self._wrong(f"one of {', '.join(CHANNELS)}, each once", token)
            channels.append(channel)
        return tuple(channels)

    def _next(self, expected: str) -> str:
        token, self._line = next(self._tokens, ("", self._end))
        if not token:
            raise self._wrong(expected, "MOTION")
        return token

    def _expect(self, word: str) -> None:
        token = self._next(word)
        if token != word:
            raise self._wrong(word, token)

    def _wrong(self, expected: str, found: str) -> UserError:
        return UserError(f"{self._file}:{self._line}: expected {expected}, found {found!r}")


def _motion_header(lines: list[str], start: int, name: str) -> tuple[int, float, int]:
    """Number of frames, seconds per frame, and the index of the first line after them."""
    head: list[tuple[int, list[str]]] = []
    for index in range(start, len(lines)):
        if lines[index].strip():
            head.append((index, lines[index].replace(":", ": ").split()))
        if len(head) == 2:
            break
    if len(head) < 2:
        raise UserError(
            f"{name}:{len(lines)}: expected 'Frames: N' and 'Frame Time: SECONDS' after MOTION, "
            "found the end of the file"
        )
    (at_frames, frames), (at_time, time) = head
    if len(frames) != 2 or frames[0] != "Frames:" or not frames[1].isdigit() or frames[1] == "0":
        raise UserError(
            f"{name}:{at_frames + 1}: expected 'Frames: N' with N of at least 1, "
            f"found {lines[at_frames].strip()[:60]!r}"
        )
    if len(time) != 3 or time[:2] != ["Frame", "Time:"] or not _is_positive(time[2]):
        raise UserError(
            f"{name}:{at_time + 1}: expected 'Frame Time: SECONDS' above zero, "
            f"found {lines[at_time].strip()[:60]!r}"
        )
    return int(frames[1]), float(time[2]), at_time + 1


def _values(
    rows: list[tuple[int, list[str]]], width: int, name: str, last_line: int
) -> np.ndarray:
    """Rows of tokens to (T, C) float64; the first malformed row is refused by its line."""
    for number, tokens in rows:
        if len(tokens) != width:
            hint = " in the last row: the file is cut off" if number == last_line else ""
            raise UserError(
                f"{name}:{number}: expected {width} channel values, found {len(tokens)}{hint}"
            )
    try:
        values = np.fromiter(map(float, chain.from_iterable(row for _, row in rows)), np.float64)
    except ValueError:
        values = np.full(1, np.nan)
    if not np.isfinite(values).all():
        number, token = next(
            (number, token) for number, row in rows for token in row if not _is_number(token)
        )
        raise UserError(f"{name}:{number}: expected a finite number, found {token!r}")
    return values.reshape(len(rows), width)


def _is_number(token: str) -> bool:
    try:
        return math.isfinite(float(token))
    except ValueError:
        return False


def _is_positive(token: str) -> bool:
    return _is_number(token) and float(token) > 0
