"""Studies of `experiments/`: the sweep behind a published table, in `sweep.yaml` beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from launch.composition.messages import METHOD
from launch.composition.overrides import CONF, expand, parse_overrides
from launch.composition.seeds import with_seeds
from motiongpt.errors import UserError
from motiongpt.yaml_files import read_yaml

# A wheel carries both folders beside the packages; a checkout has them there anyway.
EXPERIMENTS = CONF.parent / "experiments"
SWEEP = "sweep.yaml"
KEYS = ("goal", "base", "axes")
MAY = ("methods",)


@dataclass(frozen=True)
class Study:
    """What is run for one table.

    Attributes:
        table: name of the study's folder.
        goal: stage whose results fill the table.
        base: overrides of the paper's own setting.
        axes: overrides with a value for each row of the table.
        methods: name of a method -> overrides for its own experiments: sizes and schedules of its
            paper, in groups that other methods do not have.
    """

    table: str
    goal: str
    base: Sequence[str]
    axes: Sequence[str]
    methods: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def points(self, wanted: Sequence[str]) -> list[list[str]]:
        """Overrides of every experiment: each value of the axes with what is its method's own.

        Args:
            wanted: the user's, see `overrides`; they replace what is a method's own too. `seeds=N`
                among them is a sweep over N training seeds.
        """
        wanted = with_seeds(wanted, self.points)
        own = {override.key_or_group for override in parse_overrides(wanted)}
        methods = {} if "experiment" in own else self.methods
        points = []
        for point in expand(self.overrides(wanted)):
            parsed = parse_overrides(point)
            named = [str(one.value()) for one in parsed if one.key_or_group == METHOD]
            extra = [
                override
                for name in named
                for override in parse_overrides(methods.get(name, ()))
                if override.key_or_group not in own
            ]
            replaced = {override.key_or_group for override in extra}
            kept = [one for one in parsed if one.key_or_group not in replaced]
            points.append([str(one.input_line) for one in (*kept, *extra)])
        return points

    def overrides(self, wanted: Sequence[str]) -> list[str]:
        """The sweep as overrides, with the user's in front of all.

        Each of `wanted` replaces the same key here; an `experiment=` brings a whole setting of
        its own (data, sizes, protocol) and so replaces all of `base`.
        """
        own = {override.key_or_group for override in parse_overrides(wanted)}
        base = [] if "experiment" in own else self.base
        kept = [
            str(override.input_line)
            for override in parse_overrides([f"goal={self.goal}", *base, *self.axes])
            if override.key_or_group not in own
        ]
        return [*kept, *wanted]


def find_studies(experiments: Path = EXPERIMENTS) -> dict[str, Path]:
    """Table name -> `sweep.yaml`, by discovery: a new table is a new folder."""
    return {file.parent.name: file for file in sorted(Path(experiments).glob(f"*/{SWEEP}"))}


def read_study(table: str, experiments: Path = EXPERIMENTS) -> Study:
    """The sweep behind a table.

    Raises:
        UserError: no such table, or a broken file.
    """
    files = find_studies(experiments)
    if table not in files:
        raise UserError(f"table={table}: no such table; valid: {', '.join(files)}")
    path = files[table]
    found: Any = read_yaml(path)
    if not isinstance(found, dict) or sorted({*found} - {*MAY}) != sorted(KEYS):
        raise UserError(f"{path}: its keys must be {', '.join(KEYS)}; it may have {MAY[0]}")
    methods = found.get("methods", {})
    if not isinstance(methods, dict):
        raise UserError(f"{path}: methods: lists of overrides by method are needed")
    own = {f"methods.{name}": overrides for name, overrides in methods.items()}
    for key, overrides in {"base": found["base"], "axes": found["axes"], **own}.items():
        if not isinstance(overrides, list) or not all(isinstance(one, str) for one in overrides):
            raise UserError(f"{path}: {key}: a list of overrides is needed, as [downsampling=4]")
    return Study(table, str(found["goal"]), found["base"], found["axes"], methods)
