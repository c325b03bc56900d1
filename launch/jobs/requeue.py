"""Preemption inside a job that submitit runs: stop in good order first, then be queued again."""

import contextlib
import os
import signal
from collections.abc import Iterator


@contextlib.contextmanager
def requeued_when_preempted() -> Iterator[None]:
    """Give submitit's handler of SIGUSR2 its turn when the work inside has obeyed the signal.

    Work that takes signals over, as `launch.jobs.execute.execute` does, ends with a
    KeyboardInterrupt when its checkpoint is written; submitit must then ask for the requeue. Which
    signal it was is read from Python's own record. Without a handler, outside of such a job,
    nothing is done.
    """
    ahead_of_time = signal.getsignal(signal.SIGUSR2)
    if not callable(ahead_of_time):
        yield
        return
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    former = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    try:
        yield
    except KeyboardInterrupt:
        if _first_byte(reading) == signal.SIGUSR2:
            ahead_of_time(signal.SIGUSR2, None)  # does not return
        raise
    finally:
        signal.set_wakeup_fd(former)
        os.close(reading)
        os.close(writing)


def _first_byte(descriptor: int) -> int | None:
    with contextlib.suppress(BlockingIOError):  # interrupted by no signal
        return os.read(descriptor, 1)[0]
    return None
