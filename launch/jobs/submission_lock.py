"""One submission at a time below one root, so that two sweeps see each other's jobs.

As with attempts at a run, numbers rise and making the folder of the next number is atomic. The
newest folder is the lock, and stays when it is released: so an owner that was taken for dead and
wakes up again finds a higher number than its own, and can't take another's lock for its own.
"""

import contextlib
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from launch.runs.ledger import attempt_numbers
from launch.runs.owner import Heartbeat, Owner, is_alive
from motiongpt.errors import UserError

LOCK, RELEASED = ".submitting", "released"


@contextlib.contextmanager
def submitting(root: Path, log: Callable[[str], None]) -> Iterator[Callable[[], None]]:
    """Hold the lock; waits while another living process does.

    Yields:
        A check, to be made ahead of each step that others must not make at the same time: raises
        a `UserError` if this process was taken for dead and the lock is another's by now.

    Raises:
        UserError: the folder can't be written.
    """
    try:
        folder = _claim(Path(root) / LOCK, log)
        Owner.this_process().write(folder)
    except OSError as error:
        raise UserError(
            f"{root}: can't be written ({error.strerror}); choose another paths.root"
        ) from error

    def check() -> None:
        if _is_lost(folder):
            raise UserError(
                f"{root}: this command made no move for so long that another went on in its place; "
                "what it had submitted is cancelled, give it again"
            )

    heartbeat = Heartbeat(folder, lambda: _is_lost(folder), lambda: None)
    heartbeat.start()
    try:
        yield check
    finally:
        heartbeat.stop()
        with contextlib.suppress(FileNotFoundError):  # a successor has tidied up
            (folder / RELEASED).touch()


def _claim(lock: Path, log: Callable[[str], None]) -> Path:
    """Make the next folder, when the one before it is released or its owner has died."""
    lock.mkdir(parents=True, exist_ok=True)
    told = False
    while True:
        numbers = attempt_numbers(lock)
        newest = lock / f"{numbers[-1] if numbers else 0:04d}"
        if numbers and _is_held(newest):
            if not told:
                log(f"waiting: another submission is under way ({lock})")
                told = True
            time.sleep(0.5)
            continue
        mine = lock / f"{int(newest.name) + 1:04d}"
        try:
            mine.mkdir()
        except FileExistsError:
            continue  # somebody was faster
        if _is_lost(mine):  # somebody was so much faster that this number was tidied up
            mine.rmdir()
            continue
        for number in numbers:
            shutil.rmtree(lock / f"{number:04d}", ignore_errors=True)
        return mine


def _is_held(folder: Path) -> bool:
    return not (folder / RELEASED).exists() and is_alive(Owner.read(folder), folder)


def _is_lost(folder: Path) -> bool:
    return attempt_numbers(folder.parent)[-1:] != [int(folder.name)]
