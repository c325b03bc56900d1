"""One hostile or damaged file after another, put to the command line within limits."""

import contextlib
import io
import os
import re
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from launch.cli import main

SECONDS = 60
MOST_MEMORY = 2 << 30
ROOM = 3 << 29  # what one attack may take beside what the tests' process holds: 1.5 GiB
BAR = re.compile(r"\d+clip|clip/s|s/clip")

Build = Callable[[Path], Sequence[str]]
"""Writes the files of an attack into a folder and returns the words of the command."""

# What may lie where a file belongs, by kind; each is made at a path.
ODD_FILES: dict[str, Callable[[Path], object]] = {
    "fifo": os.mkfifo,
    "directory": os.mkdir,
    "device": lambda path: os.symlink("/dev/zero", path),
    "loop": lambda path: os.symlink(path, path),
    "gone": lambda path: None,
}


@dataclass(frozen=True)
class Attack:
    """One attack.

    Attributes:
        name: of the test.
        build: see `Build`.
        says: what the one line must hold, the file's name before all.
    """

    name: str
    build: Build
    says: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ran:
    """How a command ended: its status, and its lines without bars of progress."""

    status: int
    out: str
    errors: list[str]


def attacks(found: Sequence[Attack]) -> pytest.MarkDecorator:
    """The attacks as parameters of a test; to make a heavy one takes longer than to refuse it."""
    return pytest.mark.parametrize(
        "attack",
        [pytest.param(one, id=one.name, marks=pytest.mark.timeout(5 * SECONDS)) for one in found],
    )


def run(words: Sequence[str]) -> Ran:
    """A command in this process, with bounded memory."""
    out, err = io.StringIO(), io.StringIO()
    with bounded_memory(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(list(words))
    return Ran(status, out.getvalue(), _lines(err.getvalue()))


def run_apart(words: Sequence[str], root: Path) -> Ran:
    """A command in a process of its own, in which memory is bounded and measured as a whole."""
    here = str(Path(__file__).parents[3])
    environment = {**os.environ, "PYTHONPATH": here, "OMP_NUM_THREADS": "1"}
    with (root / "out").open("wb") as out, (root / "err").open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, "-c", APART, str(MOST_MEMORY), *words],
            stdout=out, stderr=err, env=environment, cwd=root,
        )  # fmt: skip
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    peak = int((root / PEAK).read_text())
    assert peak << 10 < MOST_MEMORY, f"{peak:,} KiB"
    assert used.ru_utime + used.ru_stime < SECONDS
    said = (root / "err").read_text(errors="replace")
    return Ran(process.returncode, (root / "out").read_text(errors="replace"), _lines(said))


PEAK = "peak.txt"
# The peak of the process itself: what the kernel tells its parent counts the parent's memory too,
# which it has for a moment before it becomes another program.
APART = f"""
import atexit, os, re, resource, sys
def tell():
    with open("/proc/self/status") as status, open(place, "w") as peak:
        peak.write(re.search(r"VmHWM:\\s+(\\d+) kB", status.read())[1])
place = os.path.abspath({PEAK!r})
atexit.register(tell)
resource.setrlimit(resource.RLIMIT_DATA, (int(sys.argv[1]), int(sys.argv[1])))
resource.setrlimit(resource.RLIMIT_CPU, (60, 60))
from launch.cli import main
sys.exit(main(sys.argv[2:]))
"""


@contextlib.contextmanager
def bounded_memory(room: int = ROOM) -> Iterator[None]:
    """More than `room` bytes beside what is held already is a MemoryError."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    held = re.search(r"VmData:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert held is not None
    resource.setrlimit(resource.RLIMIT_DATA, ((int(held[1]) << 10) + room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))


def check_refused(ran: Ran, says: Sequence[str] = ()) -> None:
    """Ended with one readable line that holds `says`, and a status that is not 0."""
    assert ran.status in (1, 2), ran
    assert len(ran.errors) == 1, ran.errors
    check_line(ran.errors[0], says)


def check_line(line: str, says: Sequence[str]) -> None:
    """Short, whole, and without a letter that steers a terminal."""
    assert "Traceback" not in line and len(line) < 1_500, line[:2_000]
    assert line.isprintable(), ascii(line)
    for word in says:
        assert word in line, line


def check_skipped(ran: Ran, name: str, says: Sequence[str] = ()) -> None:
    """`data verify` named the bad clip `name` in one line and went on with the good ones."""
    assert ran.status in (0, 1) and not ran.errors, ran
    lines = [line for line in ran.out.split("\n") if line.startswith(f"bad: {name}")]
    assert len(lines) == 1, ran.out[:2_000]
    check_line(lines[0], says)
    assert re.search(r"usable [1-9]", ran.out), ran.out[:2_000]


def _lines(text: str) -> list[str]:
    lines = re.split(r"[\r\n]", text)
    return [line for line in lines if line.strip() and not BAR.search(line)]
