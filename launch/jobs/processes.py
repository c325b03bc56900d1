"""Which of a job's processes this is: told by SLURM, or by the local launcher.

Lightning, which takes seconds to import, is asked for where there are several.
"""

import os

from motiongpt.training.stage import Processes


def slurm_processes() -> Processes:
    """Ranks of a job that srun started."""
    world = int(os.environ.get("SLURM_NTASKS", 1))
    if world == 1:
        return Processes()
    from lightning.fabric.plugins.environments import SLURMEnvironment

    # The job is requeued by submitit; Lightning would write checkpoints of its own.
    environment = SLURMEnvironment(auto_requeue=False)
    return Processes(int(os.environ["SLURM_PROCID"]), world, environment)


def local_processes() -> Processes:
    """Ranks of processes that the local launcher started."""
    world = int(os.environ.get("WORLD_SIZE", 1))
    if world == 1:
        return Processes()
    from lightning.fabric.plugins.environments import TorchElasticEnvironment

    return Processes(int(os.environ["RANK"]), world, TorchElasticEnvironment())


def local_variables(rank: int, world: int, port: int, job: str) -> dict[str, str]:
    """Environment of one of `world` processes on this machine."""
    return {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(world),
        "LOCAL_WORLD_SIZE": str(world),
        "GROUP_RANK": "0",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "MOTIONGPT_JOB": job,
    }
