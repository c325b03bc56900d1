"""The graph of stages behind one experiment, and the union of several."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from launch.ledger import Run
from launch.signatures import signature, signed_part
from motiongpt.errors import UserError


@dataclass(frozen=True)
class Planned:
    """One stage of a plan.

    Attributes:
        run: its folder and signature.
        settings: its resolved settings, plain containers.
        parents: the runs that it builds on, by stage name.
        data: folder of the motion store.
        fingerprint: of that store.
        config: the whole configuration it comes from, for the record and for the logger.
        needed_for: overrides of the sweep points that want it.
    """

    run: Run
    settings: Mapping[str, Any]
    parents: Mapping[str, Run]
    data: Path
    fingerprint: str
    config: DictConfig
    needed_for: tuple[str, ...] = ()

    @property
    def finished(self) -> bool:
        """Whether there is nothing to do."""
        return self.run.state == "finished"


def plan_experiment(
    config: DictConfig, data: Path, fingerprint: str, point: str = ""
) -> list[Planned]:
    """Stages that lead to `config.goal`, parents before children.

    Raises:
        UserError: a goal or a parent that is no stage, or stages that wait for each other.
    """
    planned: dict[str, Planned] = {}

    def visit(name: str, waiting: tuple[str, ...]) -> Planned:
        if name in planned:
            return planned[name]
        if name in waiting:
            raise UserError(f"stages wait for each other: {' -> '.join([*waiting, name])}")
        settings = _settings(config, name)
        parents = {
            parent: visit(parent, (*waiting, name)).run for parent in settings.get("parents", [])
        }
        own = signature(
            name, settings, fingerprint, {parent: run.signature for parent, run in parents.items()}
        )
        run = Run(Path(config.paths.root), name, own)
        planned[name] = Planned(run, settings, parents, data, fingerprint, config, (point,))
        return planned[name]

    goals = [config.goal] if isinstance(config.goal, str) else list(config.goal)
    for goal in goals:
        visit(goal, ())
    return list(planned.values())


def union(plans: Iterable[Sequence[Planned]]) -> list[Planned]:
    """All stages of several experiments, each signature once, parents before children."""
    merged: dict[tuple[str, str], Planned] = {}
    for plan in plans:
        for stage in plan:
            key = (stage.run.stage, stage.run.signature)
            if key in merged:
                known = merged[key]
                points = dict.fromkeys((*known.needed_for, *stage.needed_for))
                stage = Planned(
                    known.run,
                    known.settings,
                    known.parents,
                    known.data,
                    known.fingerprint,
                    known.config,
                    tuple(points),
                )
            merged[key] = stage
    return list(merged.values())


def recorded_settings(stage: Planned) -> dict[str, Any]:
    """What the run folder keeps: enough to see, and to check, where the signature comes from."""
    return {
        "stage": stage.run.stage,
        "signature": stage.run.signature,
        "settings": stage.settings,
        "signed": signed_part(stage.settings),
        "data": {"folder": str(stage.data), "fingerprint": stage.fingerprint},
        "parents": {name: run.signature for name, run in stage.parents.items()},
        "config": OmegaConf.to_container(stage.config, resolve=True),
    }


def _settings(config: DictConfig, name: str) -> dict[str, Any]:
    if name not in config.stage:
        raise UserError(f"{name}: no such stage; valid: {', '.join(map(str, config.stage))}")
    return dict(OmegaConf.to_container(config.stage[name], resolve=True))  # type: ignore[arg-type]
