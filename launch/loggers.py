"""Experiment loggers of one stage: W&B, TensorBoard or CSV, as `logger=` says."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.utils import instantiate
from lightning.pytorch.loggers import Logger
from omegaconf import OmegaConf

from launch.graph import Planned, recorded_settings
from launch.sources import git_state

LONGEST_TAG = 64  # letters, as W&B takes them


class StageLoggers:
    """Opened when first asked for, closed with the final metrics when the stage ends."""

    def __init__(self, stage: Planned, folder: Path, group: str = "") -> None:
        self.stage, self.folder, self.group = stage, folder, group
        self._open: list[Logger] | None = None

    def open(self) -> Sequence[Logger]:
        """The loggers that the configuration names, with the whole configuration in them."""
        if self._open is None:
            os.environ.setdefault("WANDB_SILENT", "true")
            self._open = [self._make(node) for node in self.stage.config.logger.values()]
        return self._open

    def finish(self, metrics: Mapping[str, float]) -> None:
        """Log the final metrics and close: the next stage of this process is a run of its own."""
        for logger in self.open():
            logger.log_metrics({f"final/{name}": value for name, value in metrics.items()})
        self.close("success")

    def close(self, status: str) -> None:
        """Close what is open; `status` is Lightning's word: success, failed or interrupted."""
        for logger in self._open or ():
            logger.finalize(status)
        wandb = sys.modules.get("wandb")
        if self._open and wandb is not None and wandb.run is not None:
            wandb.finish(exit_code=0 if status == "success" else 1)
        self._open = None

    def _make(self, node: Any) -> Logger:
        settings = _fill(OmegaConf.to_container(node, resolve=True), self._facts())
        logger: Logger = instantiate(OmegaConf.create(settings))
        logger.log_hyperparams({**recorded_settings(self.stage), **git_state()})
        return logger

    def _facts(self) -> dict[str, Any]:
        run = self.stage.run
        return {
            "folder": str(self.folder),
            "stage": run.stage,
            "signature": run.signature,
            "run_name": f"{run.stage}-{run.signature[:8]}",
            "run_id": f"{run.stage}-{run.signature}",
            "tags": _tags(self.stage),
        }


def _tags(stage: Planned) -> list[str]:
    """The stage, the data, and each override of the sweep points."""
    words = [word for point in stage.needed_for for word in point.split()]
    tags = dict.fromkeys([stage.run.stage, str(stage.config.data.name), *words])
    return [tag if len(tag) <= LONGEST_TAG else f"{tag[: LONGEST_TAG - 3]}..." for tag in tags]


def _fill(value: Any, facts: dict[str, Any]) -> Any:
    """Replace `<name>` by the fact of that name, at any depth: what only a running stage knows."""
    if isinstance(value, dict):
        return {key: _fill(part, facts) for key, part in value.items()}
    if isinstance(value, str) and value.startswith("<") and value.endswith(">"):
        return facts.get(value[1:-1], value)
    return value
