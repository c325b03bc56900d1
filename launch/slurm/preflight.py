"""Asking SLURM whether jobs could be had at all, before anything is submitted."""

import os
import subprocess
from collections.abc import Iterable, Mapping
from typing import Any

from launch.jobs.resources import Resources
from launch.slurm.commands import minutes_of, said, slurm
from launch.slurm.submission import slurm_options
from motiongpt.errors import UserError


def check_resources(resources: Iterable[Resources], options: Mapping[str, Any]) -> None:
    """Let SLURM judge a job of each kind, without submitting it.

    Raises:
        UserError: no SLURM here, or it would refuse, or never start the job.
    """
    slurm("sbatch", "--version")
    kinds = sorted(set(resources), key=str)
    for one in kinds:
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
    _check_time_limits(
        kinds, str(options.get("partition") or os.environ.get("SBATCH_PARTITION", ""))
    )


def _check_time_limits(kinds: Iterable[Resources], wanted: str) -> None:
    """A job above the limit of its partition is accepted by most clusters, and waits for ever.

    Args:
        wanted: partitions with commas between them, of which SLURM takes whichever will do; empty
            for the default one.
    """
    limits = _time_limits()
    names = wanted.split(",") if wanted else [name for name in limits if name.endswith("*")]
    known = {name.rstrip("*"): limits[name] for name in limits}
    found = {name.rstrip("*"): known.get(name.rstrip("*")) for name in names}
    if not found or None in found.values():
        return
    name, limit = max(found.items(), key=lambda item: item[1] or 0)
    for one in kinds:
        if one.minutes is not None and limit is not None and one.minutes > limit:
            raise UserError(
                f"partition {name}: its jobs may take {limit:g} minutes, and "
                f"{one.minutes} are asked for ({one}); lower launcher.resources.minutes, or "
                "launcher.stages.STAGE.minutes: a job that reaches its limit goes on from its last "
                "checkpoint"
            )


def _time_limits() -> dict[str, float | None]:
    """Minutes that a job may take, None for no limit, by partition; the default ends with *."""
    lines = slurm("sinfo", "--all", "--noheader", "--format=%P|%l").split()
    return {name: minutes_of(limit) for name, _, limit in (line.partition("|") for line in lines)}
