"""One process of a job on this machine: `python -m launch.jobs.worker PLAN GROUP`."""

import sys
from pathlib import Path

from launch.jobs.job import run_job
from launch.jobs.processes import local_processes
from motiongpt.errors import user_error_behind


def main() -> int:
    """Run the stage; 0 when it is finished."""
    plan, group = sys.argv[1:]
    try:
        run_job(Path(plan), group, local_processes())
    except Exception as error:
        said = user_error_behind(error)
        if said is None:
            raise
        print(f"failed: {said}", file=sys.stderr, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
