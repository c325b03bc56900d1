"""Experiment loggers of one stage: W&B, TensorBoard or CSV, as `logger=` says."""

from collections.abc import Sequence
from typing import Any

from hydra.utils import instantiate
from lightning.pytorch.loggers import Logger
from omegaconf import OmegaConf

from launch.graph import Planned, recorded_settings
from launch.sources import git_state

LONGEST_TAG = 64


def make_loggers(stage: Planned) -> Sequence[Logger]:
    """Open the loggers that the configuration names and record the whole configuration in them."""
    run = stage.run
    facts: dict[str, Any] = {
        "folder": str(run.folder),
        "stage": run.stage,
        "signature": run.signature,
        "run_name": f"{run.stage}-{run.signature[:8]}",
        "run_id": f"{run.stage}-{run.signature}",
        "tags": _tags(stage),
    }
    loggers = []
    for settings in stage.config.logger.values():
        filled = OmegaConf.create(_fill(OmegaConf.to_container(settings, resolve=True), facts))
        logger = instantiate(filled)
        logger.log_hyperparams({**recorded_settings(stage), **git_state()})
        loggers.append(logger)
    return loggers


def _tags(stage: Planned) -> list[str]:
    """The stage, the data, and each override of the sweep points; W&B takes 64 letters a tag."""
    words = [word for point in stage.needed_for for word in point.split()]
    tags = dict.fromkeys([stage.run.stage, str(stage.config.data.name), *words])
    return [tag if len(tag) <= LONGEST_TAG else f"{tag[: LONGEST_TAG - 3]}..." for tag in tags]


def _fill(value: Any, facts: dict[str, Any]) -> Any:
    """Replace `<name>` by the fact of that name, at any depth: what only a running stage knows."""
    if isinstance(value, dict):
        return {key: _fill(part, facts) for key, part in value.items()}
    if isinstance(value, str):
        if value.startswith("<") and value.endswith(">") and value[1:-1] in facts:
            return facts[value[1:-1]]
        return value
    return value
