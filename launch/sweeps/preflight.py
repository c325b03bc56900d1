"""All that a plan needs, looked for before any of it runs: each stage says what that is."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hydra.errors import InstantiationException

from launch.composition.datasets import make_source
from launch.composition.signatures import digest
from launch.jobs.run_stage import build_stage, start_of
from launch.plans.graph import Planned
from motiongpt.data.clip import SPLITS
from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError, user_error_behind
from motiongpt.preflight import Outlook


class Answer(NamedTuple):
    """What stages say ahead.

    Attributes:
        notes: one line about each thing that will be left out.
        disk_bytes: that they will write at most, models and checkpoints not counted.
        missing: why a stage can't run; empty if it can.
    """

    notes: list[str]
    disk_bytes: int = 0
    missing: str = ""


def preflight_of(plan: Sequence[Planned]) -> Answer:
    """Build every stage that is to run, and ask it what it needs; writes nothing.

    Where data is still to be prepared, only files and settings are looked at.

    Raises:
        UserError: something is missing; all of it, in one line.
    """
    ask, planned = _Preflights(), {stage.run: stage for stage in plan}
    answers = [
        ask(stage, {name: planned[run] for name, run in stage.parents.items() if run in planned})
        for stage in plan
        if not stage.finished
    ]
    missing = list(dict.fromkeys(one.missing for one in answers if one.missing))
    if len(missing) > 1:
        numbered = [f"({number}) {said}" for number, said in enumerate(missing, start=1)]
        raise UserError(f"{len(missing)} stages lack something: {' '.join(numbered)}")
    if missing:
        raise UserError(missing[0])
    notes = list(dict.fromkeys(note for one in answers for note in one.notes))
    return Answer(notes, sum(one.disk_bytes for one in answers))


def preflight_lines(plan: Sequence[Planned], root: Path) -> list[str]:
    """`preflight_of` for a person: room on the disk of `root`, then what will be left out.

    Raises:
        UserError: as `preflight_of`.
    """
    found = preflight_of(plan)
    lines = []
    if found.disk_bytes:
        free = _free_bytes(root)
        short = ", which is not enough" if free < found.disk_bytes else ""
        lines.append(
            f"predictions take at most {_gigabytes(found.disk_bytes)}; {_gigabytes(free)} are free "
            f"below {root}{short}"
        )
    if not all(stage.is_prepared for stage in plan):
        lines.append(
            "note: what else the data leaves out, and the room that predictions take, is said when "
            "it is prepared: `motiongpt data prepare`, or run"
        )
    return [*lines, *(f"note: {one}" for one in found.notes)]


def _free_bytes(root: Path) -> int:
    """Of the disk that a folder is, or will be, on."""
    there = next(one for one in (root, *root.absolute().parents) if one.exists())
    return shutil.disk_usage(there).free


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.3g} GB"


class _Preflights:
    """Asks stages that are alike once: points of a sweep differ in few of them."""

    def __init__(self) -> None:
        self._answers: dict[str, Answer] = {}
        self._built: dict[str, Any] = {}
        self._stores: dict[Path, MotionStore] = {}
        self._counts: dict[Path, Mapping[str, int]] = {}

    def __call__(self, stage: Planned, parents: Mapping[str, Planned]) -> Answer:
        parents = {name: one for name, one in parents.items() if one.is_disposable}
        settings = [one.settings for one in (stage, *parents.values())]
        key = digest([stage.run.stage, *parents, settings, stage.fingerprint])
        if key not in self._answers:
            name = stage.run.stage
            try:
                self._answers[key] = self._asked(stage, parents)
            except (UserError, InstantiationException) as error:
                said = " ".join(str(user_error_behind(error) or error).split())
                prefix = "" if said.startswith(f"stage {name}") else f"stage {name}: "
                self._answers[key] = Answer([], missing=prefix + said)
        return self._answers[key]

    def _asked(self, stage: Planned, parents: Mapping[str, Planned]) -> Answer:
        built, store = self._build(stage), self._store(stage)
        above = {name: self._build(one) for name, one in parents.items()}
        most = {} if stage.is_prepared else self._most_clips(stage)
        said = built.preflight(Outlook(store, most, above, start_of(stage).folder))
        notes = [f"{stage.run.stage}: {one}" for one in said]
        return Answer(notes, 0 if store is None else built.disk_bytes(store))

    def _build(self, stage: Planned) -> Any:
        key = digest(stage.settings)
        if key not in self._built:
            self._built[key] = build_stage(stage)
        return self._built[key]

    def _most_clips(self, stage: Planned) -> Mapping[str, int]:
        if stage.data not in self._counts:
            source = make_source(stage.config)
            known = source.expected_counts
            self._counts[stage.data] = {one: known.get(one, len(source)) for one in SPLITS}
        return self._counts[stage.data]

    def _store(self, stage: Planned) -> MotionStore | None:
        if not stage.is_prepared:
            return None
        if stage.data not in self._stores:
            self._stores[stage.data] = MotionStore.open(stage.data)
        return self._stores[stage.data]
