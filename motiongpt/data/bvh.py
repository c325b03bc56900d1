"""Reading BVH: a hierarchy of joints with channels, and one row of channel values per frame.

Parsed token by token, so tabs, spaces and line ends don't matter; every complaint names the file
and the line. Shape letters: T frames, C channels, J joints.
"""

from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from motiongpt.data.bvh_hierarchy import BvhJoint, is_number, parse_hierarchy
from motiongpt.errors import UserError

# Anything slower or faster is a frame time in another unit than seconds.
MIN_FPS, MAX_FPS = 1.0, 10_000.0


@dataclass(frozen=True)
class Bvh:
    """One file.

    Attributes:
        joints: J of them, end sites included.
        values: (T, C) float64, positions in the file's units, rotations in degrees.
        frame_time: seconds.
        motion_line: number of the line where the hierarchy ends, for complaints about it.
    """

    joints: tuple[BvhJoint, ...]
    values: np.ndarray
    frame_time: float
    motion_line: int = 0

    @property
    def joint_names(self) -> tuple[str, ...]:
        """J names, in the order of the hierarchy."""
        return tuple(joint.name for joint in self.joints)

    @property
    def fps(self) -> float:
        """Frames per second; whole where the file's rounded frame time means a whole number.

        Files write 30 frames per second as 0.0333333 seconds, which is not 1 / 30; 120 as 0.00833.
        """
        fps = 1.0 / self.frame_time
        # Half of what parts 29.97 from 30: the rates of television stay themselves.
        return float(round(fps)) if abs(fps - round(fps)) < 5e-4 * fps else fps


def read_bvh(path: Path) -> Bvh:
    """Read one file.

    Raises:
        UserError: the file can't be read, or is not a whole BVH file (file, line, expectation).
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise UserError(
            f"{path}: cannot read the BVH file: {error.strerror}; pass the path of a .bvh file"
        ) from error
    return parse_bvh(content, str(path))


def parse_bvh(content: bytes | str, name: str) -> Bvh:
    """Parse the text of one file; `name` stands in complaints.

    Raises:
        UserError: not UTF-8 text, or not a whole BVH file (file, line, expectation).
    """
    text = _decoded(content, name) if isinstance(content, bytes) else content
    lines = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n").split("\n")
    motion = next(
        (i for i, line in enumerate(lines) if line.strip().upper() == "MOTION"), len(lines)
    )
    joints = parse_hierarchy(lines[:motion], name)
    if motion == len(lines):
        raise UserError(f"{name}:{motion}: expected MOTION, found the end of the file")
    width = sum(len(joint.channels) for joint in joints)
    n_frames, frame_time, first = _motion_header(lines, motion + 1, name)
    rows = [(i, line.split()) for i, line in enumerate(lines[first:], first + 1)]
    values = _values([row for row in rows if row[1]], width, name, len(lines))
    if len(values) != n_frames:
        raise UserError(
            f"{name}:{len(lines)}: expected {n_frames} rows of motion, as 'Frames:' says, "
            f"found {len(values)}"
        )
    return Bvh(joints, values, frame_time, motion + 1)


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UserError(
            f"{name}:{line}: expected a BVH file of UTF-8 text, found byte "
            f"{content[error.start]:#04x}"
        ) from error


def _motion_header(lines: list[str], start: int, name: str) -> tuple[int, float, int]:
    """Number of frames, seconds per frame, and the index of the first line after them."""
    head: list[tuple[int, list[str]]] = []
    for index in range(start, len(lines)):
        if lines[index].strip():
            head.append((index, lines[index].lower().replace(" :", ":").replace(":", ": ").split()))
        if len(head) == 2:
            break
    if len(head) < 2:
        raise UserError(
            f"{name}:{len(lines)}: expected 'Frames: N' and 'Frame Time: SECONDS' after MOTION, "
            "found the end of the file"
        )
    (at_frames, frames), (at_time, time) = head
    if len(frames) != 2 or frames[0] != "frames:" or not _is_count(frames[1]):
        raise UserError(
            f"{name}:{at_frames + 1}: expected 'Frames: N' with N of at least 1, "
            f"found {lines[at_frames].strip()[:60]!r}"
        )
    if len(time) != 3 or time[:2] != ["frame", "time:"] or not _is_frame_time(time[2]):
        raise UserError(
            f"{name}:{at_time + 1}: expected 'Frame Time: SECONDS' from "
            f"{1 / MAX_FPS:g} to {1 / MIN_FPS:g}, "
            f"found {lines[at_time].strip()[:60]!r}"
        )
    return int(frames[1]), float(time[2]), at_time + 1


def _values(rows: list[tuple[int, list[str]]], width: int, name: str, last_line: int) -> np.ndarray:
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
    underscores = any("_" in token for _, row in rows for token in row)
    if underscores or not np.isfinite(values).all():
        number, token = next(
            (number, token) for number, row in rows for token in row if not is_number(token)
        )
        raise UserError(f"{name}:{number}: expected a finite number, found {token!r}")
    return values.reshape(len(rows), width)


def _is_count(token: str) -> bool:
    return token.isdecimal() and int(token) > 0


def _is_frame_time(token: str) -> bool:
    return is_number(token) and 1 / MAX_FPS <= float(token) <= 1 / MIN_FPS
