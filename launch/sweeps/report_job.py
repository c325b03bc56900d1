"""The job at the end of a sweep."""

from pathlib import Path
from typing import Any

from submitit.helpers import DelayedSubmission

from launch.sweeps.record import read_sweep


class ReportJob:
    """Reports a sweep when all its jobs have ended, however they did.

    Args:
        root, sweep: where it lies and its name.
    """

    def __init__(self, root: Path, sweep: str) -> None:
        self.root, self.sweep = str(root), sweep

    def __call__(self) -> str:
        """Write the report; returns its text."""
        from launch.sweeps.closing import close_sweep  # not where the job is only submitted

        text = close_sweep(read_sweep(Path(self.root), self.sweep)).text
        print(text, flush=True)
        return text

    def checkpoint(self, *arguments: Any) -> DelayedSubmission:
        """The report is simply written again."""
        return DelayedSubmission(self)
