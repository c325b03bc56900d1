"""Hostile and damaged BVH files."""

import os
from pathlib import Path

from tests.unit.bvh_text import file, joint, stick
from tests.unit.hostile.harness import Attack

DIGITS = "9" * 5_000
GOOD = stick()
ONE = "HIERARCHY\nROOT Hips\n{\nOFFSET 0 0 0\nCHANNELS 1 Xrotation\n}\nMOTION\n"


def text(name: str, content: str | bytes, *says: str) -> Attack:
    """A file of this content, put to `data joints`."""

    def build(root: Path) -> list[str]:
        path = root / f"{name}.bvh"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return joints(path, root)

    return Attack(name, build, (f"{name}.bvh", *says))


def joints(path: Path, root: Path) -> list[str]:
    """The command that reads one BVH file."""
    return ["data", "joints", str(path), str(root / "out.npy")]


def place(name: str, make) -> Attack:
    """Something else than a file of that name."""

    def build(root: Path) -> list[str]:
        make(root / f"{name}.bvh")
        return joints(root / f"{name}.bvh", root)

    return Attack(name, build, (f"{name}.bvh",))


def swapped(old: str, new: str) -> str:
    """The good file with one part replaced."""
    assert old in GOOD
    return GOOD.replace(old, new, 1)


def header(line: str, new: str) -> str:
    """The good file with another line in its head of motion."""
    return "\n".join(new if one.startswith(line) else one for one in GOOD.split("\n"))


def row(new: str) -> str:
    """The good file with another last row."""
    return "\n".join([*GOOD.rstrip("\n").split("\n")[:-1], new]) + "\n"


FILES = [
    text("nothing", ""),
    text("zeros", b"\0" * 4096),
    text("random", bytes(range(256)) * 16),
    text("gzip", b"\x1f\x8b\x08\0\0\0\0\0\0\x03"),
    text("utf16", GOOD.encode("utf-16")),
    text("cut_hierarchy", GOOD[:200]),
    text("cut_rows", GOOD[: len(GOOD) - 11]),
    text("cut_head", GOOD.partition("Frames")[0]),
    text("frames_digits", header("Frames:", f"Frames: {DIGITS}")),
    text("frames_many", header("Frames:", "Frames: 1000000000000")),
    text("frames_negative", header("Frames:", "Frames: -40")),
    text("frames_nan", header("Frames:", "Frames: nan")),
    text("frames_arabic", header("Frames:", f"Frames: {'٩' * 4_400}")),
    text("time_digits", header("Frame Time:", f"Frame Time: {DIGITS}")),
    text("time_nan", header("Frame Time:", "Frame Time: nan")),
    text("time_zero", header("Frame Time:", "Frame Time: 0")),
    text("time_tiny", header("Frame Time:", "Frame Time: 1e-300")),
    text("channels_digits", swapped("CHANNELS 6", f"CHANNELS {DIGITS}")),
    text("channels_superscript", swapped("CHANNELS 6", "CHANNELS ²")),
    text("offset_digits", swapped("OFFSET", f"OFFSET {DIGITS}")),
    text("offset_infinite", swapped("OFFSET", "OFFSET inf")),
    text("value_digits", row(f"{DIGITS} 0 0 0 0 0")),
    text("value_letters", row("x" * 100_000 + " 0 0 0 0 0")),
    text("value_infinite", row("1e999 0 0 0 0 0")),
    text("value_huge", row("1e300 0 0 0 0 0")),
    text("value_escape", row("\x1b[2J 0 0 0 0 0")),
    text("row_long", row("0 " * 400_000)),
    text("joint_escape", swapped("JOINT Hips", "JOINT \x1b]0;owned\x07")),
    text("joint_name_long", GOOD.replace("Hips", "H" * 100_000)),
    text("joint_name_twice", swapped("JOINT Hips", f"JOINT Hips {'x' * 9_000}") * 2),
    text("end_site_open", "HIERARCHY\nROOT a\n{\nOFFSET 0 0 0\nCHANNELS 0\nEnd Site\n{\n"),
    text("braces", "HIERARCHY\nROOT a\n" + "{" * 100_000),
    text("closing_braces", "HIERARCHY\nROOT a\n{\nOFFSET 0 0 0\nCHANNELS 0\n" + "}" * 100_000),
    text("two_roots", GOOD.replace("MOTION", "ROOT b\n{\nOFFSET 0 0 0\nCHANNELS 0\n}\nMOTION")),
    place("directory", lambda path: path.mkdir()),
    place("fifo", os.mkfifo),
    place("device", lambda path: path.symlink_to("/dev/zero")),
    place("loop", lambda path: path.symlink_to(path)),
    place("dangling", lambda path: path.symlink_to("gone")),
    place("no_permission_or_nothing", lambda path: None),
]


def chain(count: int, children: bool) -> str:
    """So many joints, one within the other or side by side."""
    head = "OFFSET 0 1 0\nCHANNELS 0"
    many = [f"JOINT j{n}\n{{\n{head}\n" + ("" if children else "}\n") for n in range(count)]
    ends = "}\n" * count if children else ""
    hierarchy = f"ROOT Hips\n{{\nOFFSET 0 0 0\nCHANNELS 1 Xrotation\n{''.join(many)}{ends}}}"
    return file(hierarchy, [[0.0]] * 2)


def big_rows(megabytes: int) -> str:
    """A sound file of that size: the body of the good one, and very many frames of it."""
    line = " ".join(["12.345678"] * 6) + "\n"
    count = (megabytes << 20) // len(line)
    head = GOOD.partition("Frames:")[0]
    return f"{head}Frames: {count}\nFrame Time: 0.0333333\n{line * count}"


def many_words(megabytes: int) -> str:
    """A hierarchy that never ends."""
    return "HIERARCHY\nROOT " + "a\n" * (megabytes << 19)


HEAVY = [
    text("joints_side_by_side", chain(100_000, children=False)),
    text("joints_in_each_other", chain(100_000, children=True)),
    text("rows_60_mb", big_rows(60)),
    text("rows_of_one_value", f"{ONE}Frames: 30000000\nFrame Time: 0.1\n" + "0\n" * 30_000_000),
    text("rows_more_than_said", f"{ONE}Frames: 2\nFrame Time: 0.1\n" + "0\n" * 30_000_000),
    text("rows_blank", f"{ONE}Frames: 2\nFrame Time: 0.1\n" + "\n" * 60_000_000),
    text("hierarchy_60_mb", many_words(60)),
    text("one_line_60_mb", "HIERARCHY\nROOT a " + "b " * (30 << 20)),
    text(
        "positions_bomb",
        file(
            joint(
                "Hips",
                channels=("Xrotation",),
                kind="ROOT",
                children=[joint(f"j{n}", channels=()) for n in range(9_000)],
            ),
            [[0.0]],
        ).replace("Frames: 1\n", "Frames: 1000000\n")
        + "0.0\n" * 999_999,
    ),
    place("sparse", lambda path: path.touch() or os.truncate(path, 1 << 40)),
]
