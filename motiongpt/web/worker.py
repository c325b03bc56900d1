"""The process that does the heavy work: what takes too long is ended, and the server lives."""

import multiprocessing
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from motiongpt.errors import UserError, user_error_behind

START_SECONDS = 600.0  # until the models are there; large ones take minutes from a slow disk
DONE, REFUSED, FAILED = "done", "refused", "failed"


class Worker:
    """Calls methods of an object that lives in another process, one at a time.

    Args:
        make: makes the object there; with its arguments it can be pickled.
        seconds: that a call may take.
    """

    def __init__(self, make: Callable[..., object], *arguments: Any, seconds: float) -> None:
        self._make, self._arguments, self._seconds = make, arguments, seconds
        self._lock = threading.Lock()
        self._process: Any = None
        self._ours: Connection | None = None
        with self._lock:
            self._start()

    def call(self, name: str, *arguments: Any) -> Any:
        """What the method gives.

        Raises:
            UserError: it raised one, took too long or failed; the worker is there for the next.
        """
        with self._lock:
            if not self._process.is_alive():
                self._start()
            assert self._ours is not None
            try:
                self._ours.send((name, arguments))
                if not self._ours.poll(self._seconds):
                    self._end()
                    raise UserError(
                        f"took longer than {self._seconds:g} s and was ended; ask for less"
                    )
                kind, value = self._ours.recv()
            except (EOFError, OSError):
                self._end()
                raise UserError("the worker ended (out of memory?); ask for less") from None
        return _value(kind, value)

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs, self._make, self._arguments), daemon=True
        )
        self._process.start()
        theirs.close()
        try:
            if not self._ours.poll(START_SECONDS):
                raise UserError(f"the models were not there after {START_SECONDS:g} s")
            _value(*self._ours.recv())
        except EOFError:
            raise UserError("the worker ended while it opened the models") from None
        except UserError:
            self._end()
            raise

    def _end(self) -> None:
        self._process.kill()
        self._process.join()
        if self._ours is not None:
            self._ours.close()


def _value(kind: str, value: Any) -> Any:
    if kind == REFUSED:
        raise UserError(value)
    if kind == FAILED:
        raise UserError(f"failed: {value}; the server's terminal says where")
    return value


def _serve(connection: Connection, make: Callable[..., object], arguments: tuple[Any, ...]) -> None:
    """Work until the other side is gone."""
    made = _answered(connection, make, arguments)
    while made is not None:
        try:
            name, given = connection.recv()
        except (EOFError, KeyboardInterrupt):
            return
        _answered(connection, getattr(made, name), given, send=True)


def _answered(
    connection: Connection, do: Callable[..., Any], given: tuple[Any, ...], send: bool = False
) -> Any:
    """Do it and tell the other side; None where it could not be done."""
    import traceback

    try:
        value = do(*given)
    except MemoryError:
        connection.send((REFUSED, "takes more memory than there is; ask for less"))
    except Exception as error:  # the server must not fall with its worker
        if said := user_error_behind(error):
            connection.send((REFUSED, str(said)))
        else:
            traceback.print_exc()
            connection.send((FAILED, f"{type(error).__name__}"))
    else:
        connection.send((DONE, value if send else None))
        return value
    return None
