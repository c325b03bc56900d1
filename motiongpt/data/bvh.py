"""Reading BVH: a hierarchy of joints with channels, and one row of channel values per frame.

Parsed token by token, so tabs, spaces and line ends don't matter; every complaint names the file
and the line. Only the lines up to MOTION are kept, the others go by one by one: a file takes the
memory of its bytes and of its numbers. Shape letters: T frames, C channels, J joints.
"""

import math
from array import array
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from motiongpt.data.bvh_hierarchy import BvhJoint, is_count, is_number, parse_hierarchy
from motiongpt.data.text_lines import MOST_LETTERS, TextLines, no_text
from motiongpt.errors import UserError
from motiongpt.reading import read_bytes

WHAT = "a BVH file"
# Anything slower or faster is a frame time in another unit than seconds.
MIN_FPS, MAX_FPS = 1.0, 10_000.0
# Bounds of what a file of unknown origin may cost: an hour of a body at 120 frames per second.
MOST_BYTES = 128 << 20
MOST_FRAMES, MOST_POSITIONS = 500_000, 50_000_000  # frames; frames times joints


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
        content = read_bytes(path, MOST_BYTES)
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
    lines = TextLines(content, name, WHAT)
    try:
        return _parsed(lines, name)
    except UnicodeDecodeError:  # its position is of a part of the file: found anew
        assert isinstance(content, bytes)
        raise no_text(content, name, WHAT) from None


def _parsed(lines: TextLines, name: str) -> Bvh:
    head, motion_line = _head(lines, name)
    joints = parse_hierarchy(head, name)
    if not motion_line:
        raise UserError(f"{name}:{lines.number}: expected MOTION, found the end of the file")
    width = sum(len(joint.channels) for joint in joints)
    n_frames, frame_time = _motion_header(lines, name, len(joints))
    values = _values(lines, n_frames, width, name)
    return Bvh(joints, values, frame_time, motion_line)


def _head(lines: TextLines, name: str) -> tuple[list[str], int]:
    """The lines up to MOTION, and its number; 0 where there is none."""
    head: list[str] = []
    letters = 0
    for line in lines:
        if line.strip().upper() == "MOTION":
            return head, lines.number
        head.append(line)
        letters += len(line)
        if letters > MOST_LETTERS:
            raise UserError(
                f"{name}:{lines.number}: expected MOTION before {MOST_LETTERS:,} letters of a "
                "hierarchy; export the skeleton alone"
            )
    return head[: lines.number], 0


def _motion_header(lines: TextLines, name: str, n_joints: int) -> tuple[int, float]:
    """Number of frames and seconds per frame."""
    frames = _header_line(lines, name)
    words = _header_words(frames)
    if len(words) != 2 or words[0] != "frames:" or not is_count(words[1], 10**18):
        words = ["", "0"]
    count = int(words[1])
    if not count:
        raise UserError(
            f"{name}:{lines.number}: expected 'Frames: N' with N of at least 1, "
            f"found {frames.strip()[:60]!r}"
        )
    if count > MOST_FRAMES or count * n_joints > MOST_POSITIONS:
        raise UserError(
            f"{name}:{lines.number}: {count:,} frames of {n_joints:,} joints; at most "
            f"{MOST_FRAMES:,} frames and {MOST_POSITIONS:,} positions are read: cut it into takes"
        )
    time = _header_line(lines, name)
    words = _header_words(time)
    if len(words) != 3 or words[:2] != ["frame", "time:"] or not _is_frame_time(words[2]):
        raise UserError(
            f"{name}:{lines.number}: expected 'Frame Time: SECONDS' from "
            f"{1 / MAX_FPS:g} to {1 / MIN_FPS:g}, "
            f"found {time.strip()[:60]!r}"
        )
    return count, float(words[2])


def _header_words(line: str) -> list[str]:
    """In lower case; some programs write a blank before the colon, or none after it."""
    return line.lower().replace(" :", ":").replace(":", ": ").split()


def _header_line(lines: TextLines, name: str) -> str:
    line = next((line for line in lines if line.strip()), None)
    if line is None:
        raise UserError(
            f"{name}:{lines.number}: expected 'Frames: N' and 'Frame Time: SECONDS' after MOTION, "
            "found the end of the file"
        )
    return line


def _values(lines: TextLines, n_frames: int, width: int, name: str) -> np.ndarray:
    """The rows as (T, C) float64; the first malformed one is refused by its line."""
    values = array("d")
    found = 0
    for line in lines:
        tokens = line.split()
        if not tokens:
            continue
        found += 1
        if found <= n_frames:  # further ones are counted only
            values.extend(_row(tokens, width, name, lines))
    if found != n_frames:
        raise UserError(
            f"{name}:{lines.number}: expected {n_frames} rows of motion, as 'Frames:' says, "
            f"found {found}"
        )
    return np.frombuffer(values, np.float64).reshape(n_frames, width)


def _row(tokens: list[str], width: int, name: str, lines: TextLines) -> list[float]:
    number = lines.number
    if len(tokens) != width:
        hint = " in the last row: the file is cut off" if lines.at_end else ""
        raise UserError(
            f"{name}:{number}: expected {width} channel values, found {len(tokens)}{hint}"
        )
    try:
        row = [float(token) for token in tokens]
    except ValueError:
        row = [math.nan]
    if not math.isfinite(sum(row)) or any("_" in token for token in tokens):
        bad = next((token for token in tokens if not is_number(token)), None)
        if bad is not None:
            raise UserError(f"{name}:{number}: expected a finite number, found {bad[:60]!r}")
    return row


def _is_frame_time(token: str) -> bool:
    return is_number(token) and 1 / MAX_FPS <= float(token) <= 1 / MIN_FPS
