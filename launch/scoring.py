"""Predictions to results.json, a row and a verdict, outside of an experiment's graph."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from evaluation.leaderboard.against import Comparison, against_published, against_results
from evaluation.leaderboard.published_file import find_tables, read_published
from evaluation.leaderboard.runs import digest
from evaluation.replications.results import MODEL
from evaluation.reports.results_file import ResultsFile, read_results
from evaluation.requests.predictions import PREDICTIONS
from launch.composition.protocols import shipped_protocols
from launch.composition.signatures import signed_part
from launch.composition.studies import EXPERIMENTS
from launch.external_predictions import Brought
from launch.jobs.run_stage import build_stage
from launch.plans.graph import Planned
from launch.runs.ledger import Run
from launch.runs.sources import git_state
from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError
from motiongpt.files import write_json
from motiongpt.training.stage import StageContext

ROW = "row.json"
UNDERSTOOD = "understood.json"


@dataclass(frozen=True)
class Scored:
    """What was understood of another system's files; empty for our own."""

    said: Mapping[str, str] = field(default_factory=dict)


def score(
    plan: Sequence[Planned],
    judges: Sequence[str],
    folder: Path,
    brought: Brought | None,
    output: Path,
    method: str | None,
) -> Scored:
    """Score predictions with judges that are there; writes results.json, tables and a row.

    Args:
        plan: the judges' stages and what they need.
        judges: names of those that score.
        folder: with `predictions/`, of our own.
        brought: another system's instead; None for our own.
        method: name in tables; None for the chosen method's.
    """
    any_stage = plan[0]
    settings = any_stage.config.stage.evaluate
    if method is not None:
        facts = {} if brought is None else {"form": brought.form}
        settings = OmegaConf.create({**settings, "method": method, "facts": facts})
    root = Path(any_stage.config.paths.root)
    parents = {one.run.stage: one.run for one in plan if one.run.stage in judges}
    source = folder if brought is None else brought.folder
    signature = digest(
        [
            brought.digest if brought else _content(source / PREDICTIONS),
            signed_part(OmegaConf.to_container(settings, resolve=True)),
            {name: run.signature for name, run in parents.items()},
            any_stage.fingerprint,
        ]
    )
    evaluate = Planned(
        Run(root, "evaluate", signature), settings, {}, any_stage.data, "", any_stage.config
    )
    context = StageContext(
        stage="evaluate",
        signature=signature,
        folder=output,
        parents={"predictions": source, **{k: Path(run.folder) for k, run in parents.items()}},
        store=MotionStore.open(any_stage.data),
        cache=root / "cache",
        source=git_state(),
        log=lambda line: print(line, flush=True),
    )
    build_stage(evaluate).run(context)
    write_json(output / ROW, row_of(read_results(output / "results.json")))
    if brought is None:
        return Scored()
    write_json(output / UNDERSTOOD, dict(brought.said))
    brought.remove()
    return Scored(brought.said)


def row_of(run: ResultsFile) -> dict[str, Any]:
    """One row of a leaderboard: what was scored, how, and the method's own numbers."""
    return {
        "method": run.method.name,
        "facts": dict(run.method.facts),
        "data": run.data.name,
        "split": run.data.split,
        "clips": run.data.clips,
        "protocol": run.protocol["name"],
        "evaluator": (run.evaluator or {}).get("name"),
        "signature": run.signature,
        "numbers": {
            f"{one.task}/{one.metric}": {
                "value": one.value,
                "interval": one.interval,
                "unit": one.unit,
                "better": one.better,
            }
            for one in run.results
            if one.row == MODEL
        },
    }


def verdicts(run: ResultsFile, against: str, method: str | None) -> list[Comparison]:
    """Verdicts on a run against a results.json, a published.yaml or a study of experiments/.

    Args:
        against: a file, or a study's name.
        method: row of a published table; None for all.

    Raises:
        UserError: no such file or study, or nothing to compare.
    """
    shipped = shipped_protocols()
    path = Path(against)
    if path.suffix == ".json":
        if method is not None:
            raise UserError(f"--row {method}: {path} has one row only; leave --row out")
        return [against_results(run, read_results(path), shipped)]
    if path.suffix in (".yaml", ".yml"):
        return against_published(run, read_published(path), method, shipped)
    return against_published(run, find_tables(EXPERIMENTS, [against])[0], method, shipped)


def _content(folder: Path) -> list[list[str]]:
    """Name and SHA-256 of each file of saved predictions."""
    found = []
    for file in sorted(file for file in folder.rglob("*") if file.is_file()):
        with file.open("rb") as stream:
            digested = hashlib.file_digest(stream, "sha256").hexdigest()
        found.append([str(file.relative_to(folder)), digested])
    return found
