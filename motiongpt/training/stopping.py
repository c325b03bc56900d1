"""Being asked to stop: Ctrl-C, a terminal that closes, the end of a time limit, a preemption.

A training loop must not be torn apart in the middle of a step, so it defers the request to the
step's end, where a checkpoint can be written. Everything else stops at once.
"""

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR2)
"""Ctrl-C; what schedulers send first; a terminal's end; what submitit asks SLURM to send ahead."""


class Interrupted(BaseException):
    """The run was asked to stop, has kept what it could, and can go on later.

    Not an `Exception`, so that no library takes it for a failure of its own.
    """


def let_through(*ignored: object) -> None:
    """No longer hold SIGTERM back in this process; may be called by a loader's worker."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


class StopRequest:
    """What the process was asked, and whether it may act on it at once."""

    def __init__(self) -> None:
        self.signal: int | None = None
        self._deferred = False

    @property
    def requested(self) -> bool:
        """Whether a signal has come."""
        return self.signal is not None

    @contextlib.contextmanager
    def listening(self) -> Iterator["StopRequest"]:
        """Receive the signals of `STOP_SIGNALS`; the former handlers come back at the end."""
        former = {number: signal.getsignal(number) for number in STOP_SIGNALS}
        self.install()
        try:
            yield self
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)

    def install(self) -> None:
        """Take the signals over (again): Lightning puts a handler of its own in their place."""
        for number in STOP_SIGNALS:
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup
                signal.signal(number, self._receive)

    def hold_back(self) -> None:
        """Let SIGTERM wait, while a library puts a handler of its own in place.

        Until `take_over`, or the end of `deferred`. Processes that start meanwhile inherit it.
        """
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})

    def take_over(self) -> None:
        """Receive the signals again, whoever took them; one that has waited comes now."""
        self.install()
        let_through()

    @contextlib.contextmanager
    def deferred(self) -> Iterator[None]:
        """While inside, a request is only noted; whoever is inside looks at `requested`."""
        self._deferred = True
        try:
            yield
        finally:
            let_through()
            self._deferred = False

    def _receive(self, number: int, frame: FrameType | None) -> None:
        impatient = self.requested and number == signal.SIGINT
        if self.signal is None:
            self.signal = number
        if impatient:
            raise KeyboardInterrupt
        if not self._deferred:
            raise Interrupted
