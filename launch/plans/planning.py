"""From the overrides of experiments to their stages."""

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from launch.composition.checks import check_calls
from launch.composition.compose import Composed, compose_config
from launch.composition.datasets import Stores, ensure_stores, known_stores
from launch.composition.declarations import stripped
from launch.composition.points import compose_points
from launch.composition.signatures import digest, signature
from launch.plans.graph import GRAPH_KEYS, Planned, plan_experiment, union
from motiongpt.training.stage import Hardware

HARDWARE = f"{Hardware.__module__}.{Hardware.__qualname__}"


def plan_point(overrides: Sequence[str]) -> list[Planned]:
    """Compose, find or prepare the data, and plan one experiment.

    Raises:
        UserError: an override that means nothing, or data that can't be had.
    """
    config = compose_config(overrides)
    stores = ensure_stores(config)
    plan = plan_experiment(config, *stores.trained, " ".join(overrides), judged=stores.judged)
    check_stages(plan)
    return plan


def plan_sweep(points: Sequence[Sequence[str]], prepare: bool = True) -> list[list[Planned]]:
    """The stages of many experiments, as `plan_point` plans each, in a fraction of the time.

    Args:
        prepare: data that is absent; without, nothing is written and such plans have no
            signatures (`Planned.is_prepared`).

    Raises:
        UserError: as `plan_point`, of the first point that is wrong.
    """
    stores, sign = _Stores(prepare), _Signatures()
    plans = []
    with _uncollected():
        for point, composed in zip(points, compose_points(points), strict=True):
            trained, judged = stores.find(composed)
            plans.append(
                plan_experiment(
                    composed.config, *trained, " ".join(point), composed.plain, sign, judged
                )
            )
    check_stages(union(plans))
    return plans


def check_stages(plan: Sequence[Planned]) -> None:
    """Refuse options that no class of a stage takes, before the first stage starts.

    Raises:
        UserError: an option that there is not, or a value of a wrong type.
    """
    for stage in plan:
        settings = {k: v for k, v in stage.settings.items() if k not in GRAPH_KEYS}
        check_calls(stripped(settings), f"stage.{stage.run.stage}")
        hardware = {"_target_": HARDWARE, **stripped(stage.settings.get("hardware", {}))}
        check_calls(hardware, "trainer.hardware")


@contextmanager
def _uncollected() -> Iterator[None]:
    """Nearly all objects made here stay; looking for garbage among them takes half of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class _Stores:
    """Looks for the store of the same data once."""

    def __init__(self, prepare: bool) -> None:
        self._known: dict[str, Stores] = {}
        self._look = ensure_stores if prepare else known_stores

    def find(self, composed: Composed) -> Stores:
        key = digest([composed.plain["paths"], composed.plain["data"]])
        if key not in self._known:
            self._known[key] = self._look(composed.config)
        return self._known[key]


class _Signatures:
    """Signs stages that are alike once, and so reads the files once that are signed by content."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def __call__(
        self, stage: str, settings: Mapping[str, Any], fingerprint: str, parents: Mapping[str, str]
    ) -> str:
        key = digest([stage, settings, fingerprint, parents])
        if key not in self._known:
            self._known[key] = signature(stage, settings, fingerprint, parents)
        return self._known[key]
