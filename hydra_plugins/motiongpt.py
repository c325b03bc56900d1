"""Hydra's launcher that hands a sweeper's points to `launcher=`; Hydra finds plugins in this place.

It imports nothing heavy: Hydra imports every plugin whenever it composes anything.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from omegaconf import DictConfig


class PointsLauncher(Launcher):
    """hydra/launcher=motiongpt.

    Args:
        command: line that makes the sweep, for `motiongpt resume`; see `written_command`.
        dry_run: show the plan of the sweeper's first points and end.
        again: stages that are made anew.
    """

    def __init__(self, command: str, dry_run: bool, again: Sequence[str]) -> None:
        self._command, self._dry_run, self._again = command, dry_run, list(again)
        self._config: DictConfig | None = None

    def setup(self, *, config: DictConfig, **rest: Any) -> None:
        """Keep what Hydra composed; the points are composed anew, each with its own words."""
        self._config = config

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> list[JobReturn]:
        """Carry a batch of points out, to the end.

        Raises:
            UserError: as `motiongpt run`, before the first stage starts.
        """
        from launch.hydra_jobs import run_batch

        assert self._config is not None
        about = self._config.hydra
        Path(about.sweep.dir).mkdir(parents=True, exist_ok=True)  # sweepers leave files in it
        return run_batch(
            job_overrides, about.overrides.hydra, self._command, self._dry_run, self._again
        )


ConfigStore.instance().store(
    group="hydra/launcher",
    name="motiongpt",
    node={
        "_target_": f"{__name__}.{PointsLauncher.__name__}",
        "command": "motiongpt%20run",
        "dry_run": False,
        "again": [],
    },
    provider="motiongpt",
)
