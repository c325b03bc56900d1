"""The record of a sweep: which experiments were asked for, and every submission of them.

`sweeps/<name>/sweep.json` says what is wanted; `submissions/<number>/` holds what one submission
gave to its jobs. The same experiments have the same name, so that the same command goes on.
"""

import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from launch.composition.signatures import digest
from launch.plans.graph import Planned
from launch.runs.ledger import Run
from launch.runs.records import checked, is_mapping, is_number, is_text, list_of, say_once
from motiongpt.errors import UserError
from motiongpt.files import write_json

SWEEPS, RECORD = "sweeps", "sweep.json"


def _are_runs(value: Any) -> bool:
    return list_of(lambda one: list_of(is_text)(one) and len(one) == 2)(value)


def _is_point(value: Any) -> bool:
    return (
        is_mapping(value)
        and list_of(is_text)(value.get("words"))
        and all(_are_runs(value.get(key)) for key in ("stages", "goals"))
    )


def _is_config(value: Any) -> bool:
    return is_mapping(value) and list_of(is_text)(value.get("shown") or [])


def _is_table(value: Any) -> bool:
    return value == {} or (is_mapping(value) and is_text(value.get("name")))


SHAPE = {
    "name": is_text,
    "words": list_of(is_text),
    "group": is_text,
    "points": list_of(_is_point),
    "config": _is_config,
    "table": _is_table,
    "created": is_number,
}


@dataclass(frozen=True)
class Point:
    """One experiment of a sweep.

    Attributes:
        words: the overrides that make it.
        stages: (stage, signature) of all that it needs, parents before children.
        goals: those that were asked for.
    """

    words: list[str]
    stages: list[list[str]]
    goals: list[list[str]]


@dataclass(frozen=True)
class Sweep:
    """A sweep below `root`.

    Attributes:
        root: of the runs.
        name: of its folder.
        words: the command that makes it, after `motiongpt`.
        group: name under which loggers show its runs together.
        points: its experiments.
        config: of its first experiment, for what is common to all: loggers, shown metrics.
        table: published table it is to fill ("name", "output"), or empty.
        created: Unix seconds.
    """

    root: Path
    name: str
    words: list[str]
    group: str
    points: list[Point]
    config: dict[str, Any]
    table: dict[str, Any] = field(default_factory=dict)
    created: float = 0.0

    @property
    def folder(self) -> Path:
        """Where its record lies."""
        return Path(self.root) / SWEEPS / self.name

    @property
    def command(self) -> str:
        """The command line that makes, or goes on with, this sweep."""
        return shlex.join(["motiongpt", *self.words])

    def label(self, point: Point) -> str:
        """What tells an experiment from the others: the overrides that not all of them have."""
        common = set.intersection(*(set(one.words) for one in self.points))
        return " ".join(word for word in point.words if word not in common) or "the experiment"

    def write(self) -> None:
        """Keep it."""
        write_json(self.folder / RECORD, {**asdict(self), "root": str(self.root)})

    def runs(self, point: Point) -> list[Run]:
        """Runs of one experiment, parents before children."""
        return [Run(Path(self.root), stage, signature) for stage, signature in point.stages]


def make_sweep(
    root: Path,
    words: Sequence[str],
    points: Sequence[Sequence[str]],
    plans: Sequence[Sequence[Planned]],
    table: Mapping[str, Any] | None = None,
) -> Sweep:
    """The sweep of these experiments, not yet written.

    Args:
        words: of the command line, after `motiongpt`.
        points, plans: overrides and stages of each experiment.
        table: published table to fill at the end.
    """
    made = [
        Point(list(point), [_key(stage) for stage in plan], _goals(plan))
        for point, plan in zip(points, plans, strict=True)
    ]
    config = plans[0][0].config
    name = f"{_plain(config.group)}-{digest(sorted(map(str, (one.goals for one in made))))[:8]}"
    own = any(word.startswith("group=") for point in points for word in point)
    group = str(config.group) if own or len(made) == 1 else name
    plain: Any = OmegaConf.to_container(config, resolve=True)
    return Sweep(
        root=Path(root).resolve(),
        name=name,
        words=list(words),
        group=group,
        points=made,
        config=plain,
        table=dict(table or {}),
        created=round(time.time(), 3),
    )


def read_sweep(root: Path, name: str) -> Sweep:
    """A recorded sweep, by the beginning of its name.

    Raises:
        UserError: none, several, or a damaged record.
    """
    names = [one for one in sweep_names(root) if one.startswith(name)]
    if name in names:
        names = [name]
    if len(names) != 1:
        said = f"several sweeps: {', '.join(names)}" if names else "no such sweep"
        known = ", ".join(sweep_names(root)[-5:]) or "none yet"
        raise UserError(f"{name}: {said} below {root}/{SWEEPS}; the latest: {known}")
    path = Path(root) / SWEEPS / names[0] / RECORD
    found = checked(path, SHAPE)
    try:
        points = [Point(**one) for one in found.pop("points")]
        return Sweep(**{**found, "root": Path(root).resolve(), "points": points})
    except (KeyError, TypeError) as error:
        raise UserError(f"{path}: not the record of a sweep ({error}); move it away") from error


def readable_sweep(root: Path, name: str) -> Sweep | None:
    """As `read_sweep`, but what is wrong is said on stderr, once, and others can be shown."""
    try:
        return read_sweep(root, name)
    except UserError as error:
        say_once(str(error))
        return None


def sweep_names(root: Path) -> list[str]:
    """Names of the recorded sweeps, oldest first."""
    files = list((Path(root) / SWEEPS).glob(f"*/{RECORD}"))
    return [file.parent.name for file in sorted(files, key=lambda file: file.stat().st_mtime)]


def _key(stage: Planned) -> list[str]:
    return [stage.run.stage, stage.run.signature]


def _goals(plan: Sequence[Planned]) -> list[list[str]]:
    parents = {run.signature for stage in plan for run in stage.parents.values()}
    return [_key(stage) for stage in plan if stage.run.signature not in parents]


def _plain(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in str(name))
