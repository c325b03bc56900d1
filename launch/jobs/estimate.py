"""How long the stages of a plan will take, judged by earlier runs of the same kind alone.

Of the same kind is a run of the same stage with the same model, batch, data and parents, on as
many devices of the same name: nothing else is known to take as long.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from launch.composition.declarations import stripped
from launch.composition.signatures import digest
from launch.jobs.resources import Resources
from launch.plans.graph import Planned
from launch.runs.ledger import Run, all_runs
from motiongpt.training.machine import Machine, device_name

SCHEDULE = "schedule"
UNRELATED = frozenset(
    {"seed", "learning_rate", "optimizer", "scheduler", "losses", "version", "parents"}
)
"""Settings of a stage that do not change how long a step of it takes. All others might."""
PARTS = {
    SCHEDULE: frozenset({"batch_size", "precision", "bucket"}),
    "hardware": frozenset({"workers", "accumulate", "checkpoint_activations", "compile"}),
}
"""Of these settings only the named ones do; the rest of `hardware` is in `Machine`."""


@dataclass(frozen=True)
class Timing:
    """Of one run: on which machine, and how long a step, or all of it, took.

    Attributes:
        seconds: of a step; of the whole stage where it has no steps.
    """

    machine: Machine
    seconds: float


@dataclass(frozen=True)
class Job:
    """A stage that is to run.

    Attributes:
        machine: that it will run on, with an empty `device` where that is not known yet.
    """

    stage: Planned
    resources: Resources
    machine: Machine


def planned_job(stage: Planned, resources: Resources, here: bool) -> Job:
    """A stage with what it is given.

    Args:
        here: whether it will run on this machine.
    """
    threads = stage.settings.get("hardware", {}).get("threads") or resources.cpus
    gpus = resources.nodes * resources.gpus
    device = device_name(gpu=gpus > 0) if here else ""
    return Job(stage, resources, Machine(device, gpus, resources.world, 0 if gpus else threads))


class Experience:
    """What the runs below `root` tell of stages that are named."""

    def __init__(self, root: Path, stages: Iterable[str]) -> None:
        self._timings: dict[str, list[Timing]] = {}
        wanted = frozenset(stages)
        for run in all_runs(root):
            if run.stage in wanted:
                self._learn(run)

    def _learn(self, run: Run) -> None:
        status, progress = run.status, run.progress
        if "machine" not in status:
            return
        rate = progress.get("steps_per_second", 0.0)
        whole = run.is_finished and not status.get("attempts")
        times = status.keys() >= {"started", "finished"}
        if rate <= 0 and not (whole and times):
            return
        seconds = 1 / rate if rate > 0 else float(status["finished"]) - float(status["started"])
        record = run.config
        try:
            machine = Machine(**status["machine"])
            kind = _kind(run.stage, record["config"], record["data"]["fingerprint"])
        except (KeyError, TypeError, AttributeError):  # damaged: nothing can be told of it
            return
        self._timings.setdefault(kind, []).append(Timing(machine, seconds))

    def of(self, job: Job) -> list[Timing]:
        """Timings of runs of the same kind on such a machine."""
        stage, machine = job.stage, job.machine
        kind = _kind(stage.run.stage, stage.plain_config, stage.fingerprint)
        return [
            one
            for one in self._timings.get(kind, [])
            if _numbers(one.machine) == _numbers(machine)
            and machine.device in ("", one.machine.device)
        ]


def cost_lines(jobs: Sequence[Job], root: Path) -> list[str]:
    """GPU hours, or CPU hours where no GPU is asked for: expected, and at most for one start."""
    experience = Experience(root, {job.stage.run.stage for job in jobs})
    lines = []
    for unit, share in (("GPU", _gpus), ("CPU", _cpus)):
        members = [job for job in jobs if share(job.resources)]
        if members:
            lines.append(_cost(unit, [(job, share(job.resources)) for job in members], experience))
    return lines


def _cost(unit: str, members: Sequence[tuple[Job, int]], experience: Experience) -> str:
    found = [(job, count, experience.of(job)) for job, count in members]
    known = [(job, count, timings) for job, count, timings in found if timings]
    alike = "earlier run of the same model, batch, data and hardware to go by"
    if known:
        hours = sum(_hours(job, timings) * count for job, count, timings in known)
        timings = [one for _, _, some in known for one in some]
        devices = ", ".join(sorted({one.machine.device for one in timings}))
        said = f"{hours:.3g} {unit} hours expected, by earlier runs on {devices}"
        if len(known) < len(found):
            said += f" ({len(found) - len(known)} of {len(found)} jobs have no {alike})"
    else:
        said = f"{unit} hours not known: no {alike}"
    limits = [job.resources.minutes for job, _ in members]
    most = [m / 60 * count for m, (_, count) in zip(limits, members, strict=True) if m is not None]
    if len(most) == len(members):
        said += f"; {sum(most):.3g} if every job runs to its time limit"
    return said


def _hours(job: Job, timings: Sequence[Timing]) -> float:
    """By the steps that are left; without steps, by how long such stages took."""
    steps = job.stage.settings.get(SCHEDULE, {}).get("steps")
    run = job.stage.run
    done = 0 if run.where == run.folder else run.progress.get("step", 0)  # else it is made anew
    left = 1 if steps is None else max(0, steps - done)
    return left * median(one.seconds for one in timings) / 3600


def _kind(name: str, config: Mapping[str, Any], fingerprint: str) -> str:
    """The same for all runs of a stage that take the same time on the same machine."""
    settings = config["stage"][name]
    trained = "steps" in settings.get(SCHEDULE, {})
    # A step of a training takes as long whatever else there is of the data.
    data = config["data"]["name"] if trained else fingerprint
    return digest([data, _related(name, config["stage"])])


def _related(name: str, stages: Mapping[str, Any]) -> Any:
    """Settings of a stage that bear on its time, and those of what it builds on."""
    settings = stripped(stages[name])
    kept = {key: value for key, value in settings.items() if key not in UNRELATED}
    for part, named in PARTS.items():
        kept[part] = {key: value for key, value in settings.get(part, {}).items() if key in named}
    parents = settings.get("parents") or []
    return [name, kept, [_related(parent, stages) for parent in parents]]


def _numbers(machine: Machine) -> tuple[int, int, int]:
    return machine.gpus, machine.processes, machine.threads


def _gpus(resources: Resources) -> int:
    return resources.nodes * resources.gpus


def _cpus(resources: Resources) -> int:
    return 0 if resources.gpus else resources.world * resources.cpus
