"""What a run was trained with: the training seeds behind it, and what it is without them.

Runs of one recipe differ in training seeds alone: tables join them, see
`evaluation.leaderboard.training_seeds`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hydra.utils import get_class

from launch.composition.recorded import made_by
from launch.composition.signatures import digest, signed_part
from launch.plans.graph import Planned
from launch.runs.ledger import Run

SEED = "seed"


@dataclass(frozen=True)
class Lineage:
    """Of one run.

    Attributes:
        seeds: stage -> training seed, of it and all that it builds on; nothing of what is of the
            evaluation, see `Stage.evaluates`, and of what has no seed.
        recipe: sixteen letters: the signature that it would have if these seeds were no part of it.
    """

    seeds: Mapping[str, int]
    recipe: str


def recorded_lineage(stage: Planned) -> dict[str, Any]:
    """What a results file says of it: `training` and `made`, see `evaluation.reports.report`."""
    found = lineage(stage)
    return {
        "training": {"seeds": dict(found.seeds), "recipe": found.recipe},
        "made": made_by(stage.needed_for, stage.plain_config),
    }


def lineage(stage: Planned) -> Lineage:
    """The lineage of a planned stage, whose parents are there.

    A parent whose record can't be read counts as it is: with its signature, and no seed.
    """
    return _lineage(
        stage.run.stage,
        signed_part(stage.settings),
        stage.settings,
        stage.fingerprint,
        stage.parents,
    )


def _lineage(
    name: str,
    signed: Mapping[str, Any],
    settings: Mapping[str, Any],
    fingerprint: str,
    parents: Mapping[str, Run],
) -> Lineage:
    found = {parent: _of_run(run) for parent, run in parents.items()}
    seeds = {key: seed for one in found.values() for key, seed in one.seeds.items()}
    own = dict(signed)
    if SEED in own and not _evaluates(settings):
        seeds[name] = int(own.pop(SEED))
    recipe = digest(
        {
            "stage": name,
            "settings": own,
            "data": fingerprint,
            "parents": {parent: one.recipe for parent, one in found.items()},
        }
    )
    return Lineage(seeds, recipe)


def _of_run(run: Run) -> Lineage:
    record = run.config
    if "signed" not in record or "settings" not in record:
        return Lineage({}, run.signature)
    parents = {name: Run(run.root, name, one) for name, one in record.get("parents", {}).items()}
    fingerprint = str(record.get("data", {}).get("fingerprint", ""))
    return _lineage(run.stage, record["signed"], record["settings"], fingerprint, parents)


def _evaluates(settings: Mapping[str, Any]) -> bool:
    target = settings.get("_target_")
    return target is not None and bool(getattr(get_class(str(target)), "evaluates", False))
