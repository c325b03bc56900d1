"""One process of a job on this machine: `python -m launch.jobs.worker GROUP PLAN...`.

It ends when its launcher does, however that ended: standard input is a pipe that nobody writes to,
and whose other end closes with the launcher.
"""

import os
import signal
import sys
import threading
import time
from pathlib import Path

from launch.jobs.job import run_job
from launch.jobs.processes import local_processes
from motiongpt.errors import user_error_behind

ENDING_SECONDS = 300.0
"""What a worker may take to come to the end of its step and to write its checkpoint."""


def main() -> int:
    """Run the stages one after the other; 0 when all are finished."""
    group, *plans = sys.argv[1:]
    threading.Thread(target=_end_with_the_launcher, daemon=True).start()
    try:
        for plan in plans:
            run_job(Path(plan), group, local_processes())
    except Exception as error:
        said = user_error_behind(error)
        if said is None:
            raise
        print(f"failed: {said}", file=sys.stderr, flush=True)
        return 1
    return 0


def _end_with_the_launcher() -> None:
    """Ask this process to stop, as the launcher would have, and insist after a while."""
    os.read(0, 1)  # not sys.stdin, whose lock would be held at the interpreter's end
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(ENDING_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
