"""Studies of `experiments/`: the sweep behind a published table, in `sweep.yaml` beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from launch.composition.compose import CONF, parse_overrides
from motiongpt.errors import UserError

# A wheel carries both folders beside the packages; a checkout has them there anyway.
EXPERIMENTS = CONF.parent / "experiments"
SWEEP = "sweep.yaml"
KEYS = ("goal", "base", "axes")


@dataclass(frozen=True)
class Study:
    """What is run for one table.

    Attributes:
        table: name of the study's folder.
        goal: stage whose results fill the table.
        base: overrides of the paper's own setting.
        axes: overrides with a value for each row of the table.
    """

    table: str
    goal: str
    base: Sequence[str]
    axes: Sequence[str]

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
    try:
        found: Any = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise UserError(f"{path}: {' '.join(str(error).split())}") from error
    if not isinstance(found, dict) or sorted(found) != sorted(KEYS):
        raise UserError(f"{path}: its keys must be {', '.join(KEYS)}")
    for key in ("base", "axes"):
        if not isinstance(found[key], list) or not all(isinstance(one, str) for one in found[key]):
            raise UserError(f"{path}: {key}: a list of overrides is needed, as [downsampling=4]")
    return Study(table, str(found["goal"]), found["base"], found["axes"])
