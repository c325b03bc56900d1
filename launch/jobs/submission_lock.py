"""One submission at a time below one root, so that two sweeps see each other's jobs."""

import contextlib
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from launch.runs.owner import Heartbeat, Owner, is_alive
from motiongpt.errors import UserError


@contextlib.contextmanager
def submitting(root: Path, log: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock; waits while another living process does.

    A lock whose owner has died is moved away: moving it succeeds for one process only.

    Raises:
        UserError: the folder can't be written.
    """
    lock, said = Path(root) / ".submitting", False
    while True:
        try:
            lock.parent.mkdir(parents=True, exist_ok=True)
            lock.mkdir()
            break
        except FileExistsError:
            if not is_alive(Owner.read(lock), lock):
                with contextlib.suppress(FileNotFoundError):
                    dead = lock.with_name(f".submitting-{uuid.uuid4().hex}")
                    os.rename(lock, dead)
                    shutil.rmtree(dead, ignore_errors=True)
                continue
            if not said:
                log(f"waiting: another submission is under way ({lock})")
                said = True
            time.sleep(0.5)
        except OSError as error:
            raise UserError(
                f"{root}: can't be written ({error.strerror}); choose another paths.root"
            ) from error
    heartbeat = Heartbeat(lock, lambda: False, lambda: None)
    try:
        Owner.this_process().write(lock)
        heartbeat.start()
        yield
    finally:
        heartbeat.stop()
        shutil.rmtree(lock, ignore_errors=True)
