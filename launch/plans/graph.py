"""The graph of stages behind one experiment, and the union of several."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hydra.utils import get_class
from omegaconf import DictConfig

from launch.composition.compose import plain_containers
from launch.composition.datasets import Store
from launch.composition.signatures import signature, signed_part
from launch.composition.starting import started
from launch.plans.access_keys import check_no_access_key
from launch.runs.ledger import Run
from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError

# Keys of a stage's yaml that are read for the plan; the stage itself does not get them.
GRAPH_KEYS = ("parents", "version", "hardware", "init_from")


@dataclass(frozen=True)
class Planned:
    """One stage of a plan.

    Attributes:
        run: its folder and signature.
        settings: its resolved settings, plain containers.
        parents: the runs that it builds on, by stage name.
        data: folder of the motion store.
        fingerprint: of that store; empty where it is still to be prepared: signatures, which
            depend on it, are then not known.
        config: the whole configuration it comes from, for the record and for the logger.
        needed_for: overrides of the sweep points that want it.
        plain: `config` in plain containers if they are known; see `plain_config`.
        again: its result is to be made anew.
    """

    run: Run
    settings: Mapping[str, Any]
    parents: Mapping[str, Run]
    data: Path
    fingerprint: str
    config: DictConfig
    needed_for: tuple[str, ...] = ()
    plain: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)
    again: bool = False

    @property
    def finished(self) -> bool:
        """Whether there is nothing to do."""
        return not self.again and self.run.is_finished

    @property
    def is_prepared(self) -> bool:
        """Whether its data is there."""
        return bool(self.fingerprint)

    @property
    def is_disposable(self) -> bool:
        """See `Stage.disposable`."""
        return is_disposable(self.settings)

    @property
    def plain_config(self) -> Mapping[str, Any]:
        """`config` in plain containers, to be read only: other stages share them."""
        return plain_containers(self.config) if self.plain is None else self.plain


def plan_experiment(
    config: DictConfig,
    data: Path,
    fingerprint: str,
    point: str = "",
    plain: Mapping[str, Any] | None = None,
    sign: Callable[[str, Mapping[str, Any], str, Mapping[str, str]], str] = signature,
    judged: Store | None = None,
) -> list[Planned]:
    """Stages that lead to `config.goal`, parents before children.

    Args:
        data: folder of the motion store.
        fingerprint: of that store.
        point: overrides of the experiment.
        plain: `config` in plain containers, if the caller has them.
        sign: the signature of a stage; a sweep remembers those that it knows.
        judged: folder and fingerprint of the store of the stages that ask and judge, where it is
            another one; see `Stage.evaluates`.

    Raises:
        UserError: a goal or a parent that is no stage, stages that wait for each other, a task that
            the method cannot do, or an access key among the loggers' settings.
    """
    plain = plain_containers(config) if plain is None else plain
    _check_tasks(plain)
    check_no_access_key(plain.get("logger"), "logger")
    root, stages = Path(str(plain["paths"]["root"])), plain["stage"]
    planned: dict[str, Planned] = {}

    def visit(name: str, waiting: tuple[str, ...]) -> Planned:
        if name in planned:
            return planned[name]
        if name in waiting:
            raise UserError(f"stages wait for each other: {' -> '.join([*waiting, name])}")
        settings = started(plain, name, _settings(stages, name))
        parents = {
            parent: visit(parent, (*waiting, name)).run for parent in settings.get("parents") or []
        }
        folder, content = judged if judged and _evaluates(settings) else (data, fingerprint)
        own = sign(
            name, settings, content, {parent: run.signature for parent, run in parents.items()}
        )
        planned[name] = Planned(
            Run(root, name, own), settings, parents, folder, content, config, (point,), plain
        )
        return planned[name]

    goals = plain.get("goal")
    if goals == []:
        raise UserError(f"goal=[]: one stage at least is needed; valid: {', '.join(stages)}")
    for goal in goals if isinstance(goals, list) else [goals]:
        visit(str(goal), ())
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
                stage = replace(known, needed_for=tuple(points))
            merged[key] = stage
    return list(merged.values())


def _evaluates(settings: Mapping[str, Any]) -> bool:
    """Whether the stage with these settings does; see `Stage.evaluates`."""
    target = settings.get("_target_")
    return target is not None and bool(getattr(get_class(str(target)), "evaluates", False))


def is_disposable(settings: Mapping[str, Any]) -> bool:
    """Whether the stage with these settings is; see `Stage.disposable`."""
    target = settings.get("_target_")
    return target is not None and bool(getattr(get_class(str(target)), "disposable", False))


def needed(plan: Sequence[Planned]) -> list[Planned]:
    """The plan without stages that are absent but need not be made.

    Those are the disposable ones that were cleaned away, while all that builds on them is finished.
    """
    wanted: set[Run] = set()
    kept = []
    used = {run for stage in plan for run in stage.parents.values()}
    for stage in reversed(plan):
        run = stage.run
        if stage.finished or run not in used or run in wanted or not stage.is_disposable:
            kept.append(stage)
        if not stage.finished:
            wanted.update(stage.parents.values())
    return kept[::-1]


def recorded_settings(stage: Planned, store: MotionStore | None = None) -> dict[str, Any]:
    """What the run folder keeps: enough to see, and to check, where the signature comes from.

    Args:
        store: its motion store, once that is open: what a model reads and generates is as in there.
    """
    motion = {} if store is None else {"fps": store.fps, "skeleton": store.skeleton.name}
    return {
        "stage": stage.run.stage,
        "signature": stage.run.signature,
        "settings": stage.settings,
        "signed": signed_part(stage.settings),
        "data": {"folder": str(stage.data), "fingerprint": stage.fingerprint, **motion},
        "parents": {name: run.signature for name, run in stage.parents.items()},
        "config": stage.plain_config,
    }


def _check_tasks(plain: Mapping[str, Any]) -> None:
    """Refuse a protocol that asks for what no method of this kind can learn."""
    asked = plain.get("protocol", {}).get("tasks")
    if not asked:
        return
    from motiongpt.methods.base import cannot
    from motiongpt.methods.loading import known_methods  # takes seconds, and few ask

    name = plain["method"]["name"]
    able = known_methods()[name].all_tasks if name in known_methods() else frozenset()
    for task in asked:
        if task not in able:
            raise UserError(f"protocol.tasks: {cannot(name, task, able)}")


def _settings(stages: Mapping[str, Any], name: str) -> dict[str, Any]:
    there = [stage for stage, settings in stages.items() if settings is not None]
    if name not in there:
        raise UserError(f"{name}: no such stage of this method; valid: {', '.join(there)}")
    if not isinstance(stages[name], dict):
        raise UserError(
            f"stage.{name}={stages[name]}: a stage's settings are needed, not one value"
        )
    if said := _not_finite(stages[name]):
        raise UserError(f"stage.{name}.{said}: a finite number is needed")
    return dict(stages[name])


def _not_finite(settings: Any) -> str:
    """Path and value of a setting that is NaN or infinite; empty without one."""
    if isinstance(settings, float):
        return "" if math.isfinite(settings) else f"={settings}"
    if not isinstance(settings, dict):
        return ""
    found = ((key, _not_finite(value)) for key, value in settings.items())
    return next((f"{key}{'' if said[0] == '=' else '.'}{said}" for key, said in found if said), "")
