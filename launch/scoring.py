"""Predictions to results.json, a row and a verdict, outside of an experiment's graph."""

import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from evaluation.leaderboard.against import (
    Comparison,
    against_published,
    against_results,
    rows_of,
)
from evaluation.leaderboard.published import PublishedTable
from evaluation.leaderboard.published_file import find_tables, read_published
from evaluation.leaderboard.runs import digest
from evaluation.replications.results import MODEL
from evaluation.reports.results_file import RESULTS, ResultsFile, read_results
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


Opponent = ResultsFile | PublishedTable


def score(
    plan: Sequence[Planned],
    judges: Sequence[str],
    folder: Path,
    brought: Brought | None,
    output: Path,
    method: str | None,
) -> None:
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
    # Of another system's motions nothing is kept to go on from: they are read anew each time.
    working = output if brought is None else brought.folder / "scored"
    context = StageContext(
        stage="evaluate",
        signature=signature,
        folder=working,
        parents={"predictions": source, **{k: Path(run.folder) for k, run in parents.items()}},
        store=MotionStore.open(any_stage.data),
        cache=root / "cache",
        source=git_state(),
        log=lambda line: print(line, flush=True),
    )
    build_stage(evaluate).run(context)
    write_json(working / ROW, row_of(read_results(working / RESULTS)))
    if brought is not None:
        write_json(working / UNDERSTOOD, dict(brought.said))
        shutil.rmtree(working / "replications")
        shutil.copytree(working, output, dirs_exist_ok=True)


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


def opponent(against: str, method: str | None) -> Opponent:
    """What a run is put beside: a results.json, a published.yaml, or a study of experiments/.

    Args:
        against: a file, or a study's name.
        method: row of a published table; None for all.

    Raises:
        UserError: no such file, study or row.
    """
    path = Path(against)
    if path.suffix == ".json":
        if method is not None:
            raise UserError(f"--row {method}: {path} has one row only; leave --row out")
        return read_results(path)
    if path.suffix in (".yaml", ".yml"):
        table = read_published(path)
    else:
        (table,) = find_tables(EXPERIMENTS, [against])
    rows_of(table, method)
    return table


def verdicts(run: ResultsFile, beside: Opponent, method: str | None) -> list[Comparison]:
    """Verdicts on a run against an `opponent`.

    Raises:
        UserError: they have no number in common.
    """
    shipped = shipped_protocols()
    if isinstance(beside, ResultsFile):
        return [against_results(run, beside, shipped)]
    return against_published(run, beside, method, shipped)


def _content(folder: Path) -> list[list[str]]:
    """Name and SHA-256 of each file of saved predictions."""
    found = []
    for file in sorted(file for file in folder.rglob("*") if file.is_file()):
        with file.open("rb") as stream:
            digested = hashlib.file_digest(stream, "sha256").hexdigest()
        found.append([str(file.relative_to(folder)), digested])
    return found
