"""Everything in this process, one stage after the other: the default, and what debuggers need."""

from launch.composition.declarations import stripped
from launch.jobs.estimate import Job, cost_lines
from launch.jobs.execute import execute
from launch.jobs.process_jobs import ProcessJobs
from launch.jobs.resources import Resources
from launch.jobs.work import Work
from launch.runs.owner import Owner
from motiongpt.errors import UserError
from motiongpt.training.machine import machine_of
from motiongpt.training.stage import Hardware


class DebugLauncher(ProcessJobs):
    """Runs the plan here and now, with the hardware that `trainer=` says."""

    def describe(self, work: Work) -> str:
        """GPU hours, or CPU hours.

        Raises:
            UserError: a stage wants several processes.
        """
        jobs = []
        for stage in work.unfinished:
            hardware = Hardware(**stripped(stage.settings.get("hardware", {})))
            world = int(hardware.devices) * int(hardware.num_nodes)
            if world > 1:
                raise UserError(
                    f"stage {stage.run.stage}: launcher=debug is one process and trainer.hardware "
                    f"asks for {world}; use launcher=local or launcher=slurm"
                )
            here = machine_of(hardware, 1)
            given = Resources(gpus=here.gpus, cpus=max(1, here.threads), minutes=None)
            jobs.append(Job(stage, given, here))
        return "\n".join(cost_lines(jobs, work.root))

    def launch(self, work: Work, wait: bool) -> bool:
        """Run it; always to the end."""
        if work.unfinished:
            Owner.this_process().write(work.new_submission())
        execute(work.plan, group=work.group)
        return True
