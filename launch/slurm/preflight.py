"""Asking SLURM whether jobs could be had at all, before anything is submitted."""

import subprocess
from collections.abc import Iterable, Mapping
from typing import Any

from launch.jobs.resources import Resources
from launch.slurm.commands import said, slurm
from launch.slurm.submission import slurm_options
from motiongpt.errors import UserError


def check_resources(resources: Iterable[Resources], options: Mapping[str, Any]) -> None:
    """Let SLURM judge a job of each kind, without submitting it.

    Raises:
        UserError: no SLURM here, or it would refuse.
    """
    slurm("sbatch", "--version")
    for one in sorted(set(resources), key=str):
        wanted = {**options, **slurm_options(one)}
        flags = [
            f"--{key.replace('_', '-')}" + ("" if value is True else f"={value}")
            for key, value in wanted.items()
        ]
        done = subprocess.run(
            ["sbatch", "--test-only", *flags, "--wrap", "true"], capture_output=True, text=True
        )
        if done.returncode:
            where = ", ".join(f"{key}={value}" for key, value in options.items()) or "its defaults"
            raise UserError(
                f"SLURM would refuse a job of {one} ({where}): "
                f"{said(done.stderr)}; mend launcher.* (`sinfo` shows what there is)"
            )
