"""Limits of a QOS (quality of service): jobs beyond them are refused half-way, or wait for ever."""

import getpass
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from launch.jobs.resources import Resources
from launch.slurm.commands import minutes_of, slurm
from motiongpt.errors import UserError

MAX_WALL, MAX_JOBS = "MaxWall", "MaxSubmitJobsPerUser"
OF_RESOURCES = ("MaxTRESPerJob", "MaxTRESPerUser", "MaxTRESPerAccount", "GrpTRES")
"""Each of them alone is more than what one job may ever take."""
COLUMNS = ("Name", "Flags", MAX_WALL, MAX_JOBS, *OF_RESOURCES)
IN_WORDS = {"minutes": "minutes", "cpu": "cores", "mem": "GB", "node": "nodes", "gres/gpu": "GPUs"}
GB = {"": 1 / 1024, "K": 1 / 1024**2, "M": 1 / 1024, "G": 1.0, "T": 1024.0}
"""Letter behind an amount of memory -> GB; SLURM's own unit is MB."""


@dataclass(frozen=True)
class Limit:
    """One limit of a QOS.

    Attributes:
        qos, name: of the QOS, and SLURM's for the limit.
        of: "jobs" or a key of `IN_WORDS`.
        most: that is allowed, in its unit.
        counted: options by which squeue lists the jobs that count.
    """

    qos: str
    name: str
    of: str
    most: float
    counted: str


def qos_limits(options: Mapping[str, Any]) -> list[Limit]:
    """The limits of jobs with these options of sbatch; none where SLURM does not enforce any.

    The partition's QOS comes before that of the job, unless the latter says otherwise.
    """
    if "limits" not in _enforced():
        return []
    partition, of_partition = _partition_qos(_chosen(options, "partition"))
    try:
        of_job = _chosen(options, "qos") or _default_qos(_chosen(options, "account"))
        rows = _table("show", "qos", f"format={','.join(COLUMNS)}")
    except UserError as error:
        print(f"{error}; limits of a QOS are not looked at", file=sys.stderr, flush=True)
        return []
    known = {row[0]: dict(zip(COLUMNS, row, strict=True)) for row in rows}
    counted = {of_job: f"--qos={of_job}", of_partition: f"--partition={partition}"}
    is_first = "OverPartQOS" in known.get(of_job, {}).get("Flags", "")
    found: dict[tuple[str, str], Limit] = {}
    for name in (of_job, of_partition) if is_first else (of_partition, of_job):
        for one in _limits_of(known.get(name, {}), counted[name]):
            found.setdefault((one.name, one.of), one)
    return list(found.values())


def check_limits(kinds: Iterable[Resources], limits: Sequence[Limit]) -> None:
    """Refuse jobs that would wait for ever.

    Raises:
        UserError: a job of one of these kinds is more than a QOS ever allows.
    """
    for one in sorted(kinds, key=str):
        wanted = _wanted(one)
        for limit in limits:
            if wanted.get(limit.of, 0) > limit.most:
                unit = IN_WORDS[limit.of]
                raise UserError(
                    f"QOS {limit.qos}: {limit.name} is {limit.most:g} {unit}, and a job of {one} "
                    f"asks for {wanted[limit.of]:g}; lower launcher.resources or "
                    "launcher.stages.STAGE, or choose another launcher.qos"
                )


def check_number(new: int, limits: Sequence[Limit]) -> None:
    """Refuse more jobs than may wait: SLURM would refuse them when some are submitted already.

    Args:
        new: jobs that would be submitted; each element of an array is one.

    Raises:
        UserError: with those that are there they are too many.
    """
    for limit in limits:
        if limit.of != "jobs":
            continue
        there = slurm("squeue", "--noheader", "--array", "--me", limit.counted, "--format=%i")
        count = len(there.split())
        if count + new > limit.most:
            raise UserError(
                f"QOS {limit.qos}: {limit.name} is {limit.most:g}, {count} jobs are in the queue "
                f"and {new} would be submitted; submit fewer experiments at a time, wait, or "
                "choose another launcher.qos"
            )


def _wanted(one: Resources) -> dict[str, float]:
    """What one job takes, all nodes together, in the words of `IN_WORDS`."""
    found = {
        "cpu": one.world * one.cpus,
        "mem": one.nodes * one.memory_gb,
        "node": one.nodes,
        "gres/gpu": one.nodes * one.gpus,
    }
    return found if one.minutes is None else {**found, "minutes": one.minutes}


def _limits_of(row: Mapping[str, str], counted: str) -> list[Limit]:
    if not row:
        return []
    name, found = row["Name"], []
    minutes = minutes_of(row[MAX_WALL])
    if minutes is not None:
        found.append(Limit(name, MAX_WALL, "minutes", minutes, counted))
    if row[MAX_JOBS].isdigit():
        found.append(Limit(name, MAX_JOBS, "jobs", int(row[MAX_JOBS]), counted))
    for column in OF_RESOURCES:
        for word in filter(None, row[column].split(",")):
            of, _, amount = word.partition("=")
            unit = amount[-1:] if amount[-1:] in GB else ""
            if of in IN_WORDS and amount.removesuffix(unit).isdigit():
                most = int(amount.removesuffix(unit)) * (GB[unit] if of == "mem" else 1)
                found.append(Limit(name, column, of, most, counted))
    return found


def _chosen(options: Mapping[str, Any], key: str) -> str:
    return str(options.get(key) or os.environ.get(f"SBATCH_{key.upper()}", ""))


def _enforced() -> str:
    lines = slurm("scontrol", "show", "config").splitlines()
    return next((line for line in lines if line.startswith("AccountingStorageEnforce ")), "")


def _partition_qos(wanted: str) -> tuple[str, str]:
    """The partition and its QOS; empty where several partitions may be taken, or it has none."""
    for line in slurm("scontrol", "--oneliner", "show", "partition").splitlines():
        facts = dict(word.partition("=")[::2] for word in line.split())
        is_it = facts.get("PartitionName") == wanted if wanted else facts.get("Default") == "YES"
        if is_it and facts.get("QoS", "N/A") != "N/A":
            return facts["PartitionName"], facts["QoS"]
    return wanted, ""


def _default_qos(account: str) -> str:
    """The user's own default; empty where there is none, or it depends on what SLURM decides."""
    rows = _table("show", "associations", f"user={getpass.getuser()}", "format=Account,DefaultQOS")
    found = {qos for name, qos in rows if not account or name == account}
    return found.pop() if len(found) == 1 else ""


def _table(*words: str) -> list[list[str]]:
    text = slurm("sacctmgr", "--noheader", "--parsable2", *words)
    return [line.split("|") for line in text.splitlines()]
