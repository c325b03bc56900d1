"""Experiment loggers of one stage: W&B, TensorBoard or CSV, as `logger=` says."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf

from launch.composition.build import build
from launch.loggers.naming import logged_settings, run_id, run_name, tags
from launch.loggers.wandb_artifacts import artifact_of
from launch.plans.graph import Planned

if TYPE_CHECKING:
    from lightning.pytorch.loggers import Logger

    from launch.loggers.fail_safe_logger import FailSafeLogger


class StageLoggers:
    """Opened when first asked for, closed with the final metrics when the stage ends.

    Args:
        stage: what runs.
        folder: where it writes.
        group: under which loggers show it; empty for what the configuration says.
    """

    def __init__(self, stage: Planned, folder: Path, group: str = "") -> None:
        self.stage, self.folder = stage, folder
        self.group = group or str(stage.config.group)
        self._open: list[FailSafeLogger] | None = None

    def open(self) -> "Sequence[Logger]":
        """The loggers that the configuration names, with the whole configuration in them."""
        if self._open is None:
            self._open = open_loggers(self.stage.config, self._facts())
            settings = logged_settings(self.stage)
            for logger in self._open:
                logger.log_hyperparams(settings)
        return [logger for logger in self._open if logger.works]

    def finish(self, metrics: Mapping[str, float]) -> None:
        """Log the final metrics, and the model where that is asked for, and close: the next stage
        of this process is a run of its own."""
        self.open()
        told = artifact_of(self.stage, self.folder, metrics)
        for logger in self._open or ():
            logger.log_metrics({f"final/{name}": value for name, value in metrics.items()})
            logger.log_model(told)
        self.close("success")

    def close(self, status: str) -> None:
        """Close what is open; `status` is Lightning's word: success, failed or interrupted."""
        for logger in self._open or ():
            logger.close(status)
        self._open = None

    def _facts(self) -> dict[str, Any]:
        run = self.stage.run
        return {
            "folder": str(self.folder),
            "attempt": self.folder.name,
            "stage": run.stage,
            "signature": run.signature,
            "run_name": run_name(self.stage),
            "run_id": run_id(run),
            "group": self.group,
            "tags": tags(self.stage),
        }


def open_loggers(config: DictConfig, facts: Mapping[str, Any]) -> "list[FailSafeLogger]":
    """The loggers that `config.logger` names.

    Args:
        facts: what `<names in brackets>` stand for.
    """
    # Lightning's base takes seconds to import: plans and launchers know what opens loggers, too.
    from launch.loggers.fail_safe_logger import FailSafeLogger

    def make(node: Any) -> "Logger":
        settings = _fill(OmegaConf.to_container(node, resolve=True), facts)
        logger: Logger = build(settings, _convert_="all")
        return logger

    return [
        FailSafeLogger(str(key), lambda node=node: make(node))  # type: ignore[misc]
        for key, node in config.logger.items()
    ]


def _fill(value: Any, facts: Mapping[str, Any]) -> Any:
    """Replace `<name>` by the fact of that name, at any depth: what only a running stage knows."""
    if isinstance(value, dict):
        return {key: _fill(part, facts) for key, part in value.items()}
    if isinstance(value, str) and value.startswith("<") and value.endswith(">"):
        return facts.get(value[1:-1], value)
    return value
