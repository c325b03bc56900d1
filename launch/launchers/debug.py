"""Everything in this process, one stage after the other: the default, and what debuggers need."""

from launch.jobs.process_jobs import ProcessJobs
from launch.jobs.work import Work
from launch.runs.execute import execute
from launch.runs.owner import Owner
from motiongpt.errors import UserError


class DebugLauncher(ProcessJobs):
    """Runs the plan here and now, with the hardware that `trainer=` says."""

    def describe(self, work: Work) -> str:
        """Nothing to add to the list of stages.

        Raises:
            UserError: a stage wants several processes.
        """
        for stage in work.unfinished:
            hardware = stage.settings.get("hardware", {})
            world = int(hardware.get("devices", 1)) * int(hardware.get("num_nodes", 1))
            if world > 1:
                raise UserError(
                    f"stage {stage.run.stage}: launcher=debug is one process and trainer.hardware "
                    f"asks for {world}; use launcher=local or launcher=slurm"
                )
        return ""

    def launch(self, work: Work, wait: bool) -> bool:
        """Run it; always to the end."""
        if work.unfinished:
            Owner.this_process().write(work.new_submission())
        execute(work.plan, group=work.group)
        return True
