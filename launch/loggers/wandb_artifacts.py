"""Models as artifacts of W&B: what a run made, and what it was made from.

The artifact of a stage is called as its W&B run, `tokenizer-<signature>`: whoever has a signature
finds the model. A stage that leaves no model, as `evaluate`, uses those that it judges.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from launch.loggers.naming import run_id
from launch.loggers.wandb_server import quiet_wandb
from launch.plans.graph import Planned
from launch.runs.ledger import Run
from motiongpt.reachable import PATIENCE_SECONDS
from motiongpt.training.stage import MODEL

TYPE = "model"


def artifact_of(stage: Planned, folder: Path, metrics: Mapping[str, float]) -> dict[str, Any]:
    """What W&B is told of a stage's model, as a line of `launch.loggers.wandb_rows`.

    Args:
        folder: where the stage has left its model, if it leaves one.
        metrics: what it came to.
    """
    made = folder / MODEL
    return {
        "name": run_id(stage.run),
        "path": str(made.absolute()) if made.is_dir() else None,
        "metadata": {
            "stage": stage.run.stage,
            "signature": stage.run.signature,
            "data": stage.fingerprint,
            "results": dict(metrics),
        },
        "uses": sorted({name for run in stage.parents.values() for name in _models_behind(run)}),
    }


def _models_behind(run: Run) -> set[str]:
    """Artifacts' names of the nearest runs with a model: `run` itself, or those it builds on."""
    if (run.folder / MODEL).is_dir():
        return {run_id(run)}
    parents = run.config.get("parents", {})
    return {name for one in parents.items() for name in _models_behind(Run(run.root, *one))}


def send_artifact(run: Any, told: Mapping[str, Any]) -> None:
    """Log a model to a W&B run of a server, wait until it is there, and link what it builds on.

    A model that was cleaned away is left out, as are links to models that the server has not.

    Args:
        told: by `artifact_of`.

    Raises:
        Exception: whatever W&B raises.
    """
    wandb = quiet_wandb()
    api = wandb.Api(timeout=int(PATIENCE_SECONDS))
    for name in told["uses"]:
        used = f"{run.entity}/{run.project}/{name}:latest"
        if api.artifact_exists(used, type=TYPE):
            run.use_artifact(used, type=TYPE)
    if told["path"] is None or not Path(told["path"]).is_dir():
        return
    artifact = wandb.Artifact(told["name"], type=TYPE, metadata=told["metadata"])
    artifact.add_dir(told["path"], skip_cache=True, policy="immutable")  # gigabytes: no copies
    run.log_artifact(artifact).wait()
