"""The command line in a process of its own that begins with the libraries imported.

Importing them is most of what a short command costs, and end-to-end tests give dozens. These are
forks, as in `tests.together`; a command that is killed, stopped or given a terminal, and some of
every kind, are started as a user starts them.
"""

import os
import sys
import tempfile
from collections.abc import Mapping
from multiprocessing import get_context
from pathlib import Path
from subprocess import CompletedProcess, TimeoutExpired
from typing import Any

from launch.cli import main
from tests.together import FORKING


def motiongpt(
    *words: Any, cwd: Path | str | None = None, timeout: float = 600.0, **environment: str
) -> CompletedProcess[str]:
    """Give a command, and wait for its end.

    Args:
        words: behind `motiongpt`.
        cwd: the working folder; by default this process's.
        timeout: seconds.
        environment: variables in place of this process's.

    Raises:
        TimeoutExpired: it has not ended in time; it was killed.
    """
    given = [str(word) for word in words]
    with tempfile.TemporaryDirectory() as folder:
        said, complained = Path(folder, "out"), Path(folder, "err")
        process = get_context(FORKING).Process(
            target=_run,
            args=(given, said, complained, str(cwd or os.getcwd()), {**os.environ, **environment}),
        )
        process.start()
        process.join(timeout)
        if process.is_alive():
            process.kill()
            process.join()
            raise TimeoutExpired(given, timeout)
        texts = [file.read_text() if file.exists() else "" for file in (said, complained)]
    assert process.exitcode is not None
    return CompletedProcess(given, process.exitcode, *texts)


def _run(
    words: list[str], said: Path, complained: Path, cwd: str, environment: Mapping[str, str]
) -> None:
    for stream, file in ((1, said), (2, complained)):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT), stream)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    sys.argv = ["motiongpt", *words]
    sys.exit(main())
