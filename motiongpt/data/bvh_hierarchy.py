"""The HIERARCHY part of a BVH file: joints, offsets and channels, before any motion."""

import math
from dataclasses import dataclass

from motiongpt.errors import UserError

CHANNELS = ("Xposition", "Yposition", "Zposition", "Xrotation", "Yrotation", "Zrotation")
MOST_JOINTS = 10_000  # no body has as many; each of them takes time in every frame
# First words of an end site, in capitals: "End Site" for most, in one word for some programs.
END_SITES = ("END", "ENDSITE", "END_SITE", "END-SITE")
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


def parse_hierarchy(lines: list[str], name: str) -> tuple[BvhJoint, ...]:
    """The joints that `lines`, the file up to MOTION or its end, describe; parents come first.

    Raises:
        UserError: not a whole hierarchy with one root (file, line, expectation).
    """
    return _Parser(lines, name).parse()


def is_count(token: str, most: int) -> bool:
    """Whether `token` is a whole number from 0 to `most`; thousands of digits are none."""
    return token.isdecimal() and len(token) < 20 and int(token) <= most


def is_number(token: str) -> bool:
    """Whether `token` is a finite number; `1_000`, which Python would take, is none."""
    try:
        return math.isfinite(float(token)) and "_" not in token
    except ValueError:
        return False


class _Parser:
    """Goes through the tokens once; `_open` holds the joints whose '}' is still to come."""

    def __init__(self, lines: list[str], name: str) -> None:
        self._tokens = [
            (token, number) for number, line in enumerate(lines, 1) for token in line.split()
        ]
        self._at = 0
        self._end = len(lines)
        self._file = name
        self._joints: list[BvhJoint] = []
        self._names: set[str] = set()
        self._open: list[int] = []
        self._n_channels = 0

    def parse(self) -> tuple[BvhJoint, ...]:
        self._expect("HIERARCHY")
        self._expect("ROOT")
        self._joint("the name of the root")
        while self._open:
            token = self._next("JOINT, End Site or }")
            if token == "}":
                self._open.pop()
            elif token.upper() == "JOINT":
                self._joint("a joint's name")
            elif token.upper() in END_SITES:
                self._end_site()
            else:
                raise self._wrong("JOINT, End Site or }", token)
        if self._at < len(self._tokens):
            raise self._wrong("MOTION after the root joint", self._next(""))
        return tuple(self._joints)

    def _joint(self, expected: str) -> None:
        """A joint up to its channels; its children and its '}' follow."""
        name = self._name(expected)
        if name in self._names:
            raise UserError(
                f"{self._file}:{self._line}: expected a name of its own for each joint, "
                f"found a second {name!r}"
            )
        self._names.add(name)
        self._expect("{")
        self._add(name, self._offset(), self._channels())
        self._open.append(len(self._joints) - 1)

    def _end_site(self) -> None:
        self._rest_of_line()  # "Site", and a name that some programs add
        self._expect("{")
        self._add(f"{self._joints[self._open[-1]].name}/End", self._offset(), ())
        self._expect("}")

    def _add(
        self, name: str, offset: tuple[float, float, float], channels: tuple[str, ...]
    ) -> None:
        if len(self._joints) == MOST_JOINTS:
            raise UserError(
                f"{self._file}:{self._line}: expected a body of at most {MOST_JOINTS:,} joints; "
                "export the skeleton alone"
            )
        parent = self._open[-1] if self._open else -1
        self._joints.append(BvhJoint(name, parent, offset, channels, self._n_channels))
        self._n_channels += len(channels)

    def _name(self, expected: str) -> str:
        """The rest of the line up to '{': some programs write names with spaces."""
        first = self._next(expected)
        if first == "{":
            raise self._wrong(expected, "{")
        return " ".join([first, *self._rest_of_line()])

    def _rest_of_line(self) -> list[str]:
        """Words after the one read last, up to the end of its line or '{'."""
        words: list[str] = []
        line = self._line
        while self._at < len(self._tokens) and self._tokens[self._at][1] == line:
            if self._tokens[self._at][0] == "{":
                break
            words.append(self._next(""))
        return words

    def _offset(self) -> tuple[float, float, float]:
        self._expect("OFFSET")
        return self._number(), self._number(), self._number()

    def _number(self) -> float:
        token = self._next("a number")
        if not is_number(token):
            raise self._wrong("a finite number", token)
        return float(token)

    def _channels(self) -> tuple[str, ...]:
        self._expect("CHANNELS")
        count = self._next("the number of channels")
        if not is_count(count, len(CHANNELS)):
            raise self._wrong("a number of channels from 0 to 6", count)
        channels: list[str] = []
        for _ in range(int(count)):
            token = self._next("a channel's name")
            channel = _CANONICAL.get(token.lower())
            if channel is None or channel in channels:
                raise self._wrong(f"one of {', '.join(CHANNELS)}, each once", token)
            channels.append(channel)
        return tuple(channels)

    @property
    def _line(self) -> int:
        """Line of the token that was read last."""
        return self._tokens[self._at - 1][1]

    def _next(self, expected: str) -> str:
        if self._at == len(self._tokens):
            raise UserError(
                f"{self._file}:{max(1, self._end)}: expected {expected}, "
                "found the end of the hierarchy"
            )
        self._at += 1
        return self._tokens[self._at - 1][0]

    def _expect(self, word: str) -> None:
        token = self._next(word)
        if token.upper() != word:
            raise self._wrong(word, token)

    def _wrong(self, expected: str, found: str) -> UserError:
        return UserError(f"{self._file}:{self._line}: expected {expected}, found {found[:60]!r}")
