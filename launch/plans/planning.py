"""From the overrides of experiments to their stages."""

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from launch.composition.compose import compose_config
from launch.composition.composer import Composed, Composer
from launch.composition.datasets import ensure_store, known_store
from launch.plans.graph import Planned, plan_experiment
from launch.plans.signatures import digest, signature


def plan_point(overrides: Sequence[str]) -> list[Planned]:
    """Compose, find or prepare the data, and plan one experiment.

    Raises:
        UserError: an override that means nothing, or data that can't be had.
    """
    config = compose_config(overrides)
    folder, fingerprint = ensure_store(config)
    return plan_experiment(config, folder, fingerprint, " ".join(overrides))


def plan_sweep(points: Sequence[Sequence[str]], prepare: bool = True) -> list[list[Planned]]:
    """The stages of many experiments, as `plan_point` plans each, in a fraction of the time.

    Args:
        prepare: data that is absent; without, nothing is written and such plans have no
            signatures (`Planned.is_prepared`).

    Raises:
        UserError: as `plan_point`, of the first point that is wrong.
    """
    composer, stores, sign = Composer(), _Stores(prepare), _Signatures()
    plans = []
    with _uncollected():
        for point in points:
            composed = composer.compose(point)
            folder, fingerprint = stores.find(composed)
            plans.append(
                plan_experiment(
                    composed.config, folder, fingerprint, " ".join(point), composed.plain, sign
                )
            )
    return plans


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
        self._known: dict[str, tuple[Path, str]] = {}
        self._look = ensure_store if prepare else known_store

    def find(self, composed: Composed) -> tuple[Path, str]:
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
