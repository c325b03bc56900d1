"""What a stage's run is called in W&B, and what it is filtered and plotted by."""

from collections.abc import Mapping, Sequence
from typing import Any

from omegaconf import OmegaConf

from launch.composition.recorded import NEXT, OF_THE_MACHINE
from launch.composition.signatures import digest
from launch.plans.graph import Planned, recorded_settings
from launch.runs.ledger import Run
from launch.runs.sources import git_state

LONGEST_TAG = 64
"""Letters, as W&B takes them."""
LONGEST_NAME = 96
"""Letters; a longer name fills a plot's legend."""
GROUPS = ("method", "experiment", "data")
"""Groups whose choices say in a name what they are."""

HOW_FAR = ("goal", "group")
"""Options that say which stages there are, and in which group of runs."""


def run_id(run: Run) -> str:
    """The same for all attempts: a resumed stage goes on with its W&B run."""
    return f"{run.stage}-{run.signature}"


def run_name(stage: Planned) -> str:
    """The stage, and what all experiments that want it are made by: "instruct t2m_gpt seed=2".

    A choice of a group is its own name; other options are called by the end of theirs. What only
    says where the run lies or runs is left out.
    """
    alike = overrides_alike(stage.needed_for)
    words = [_word(key, value) for key, value in alike.items() if key not in HOW_FAR]
    return _shortened(" ".join([stage.run.stage, *words]), LONGEST_NAME)


def tags(stage: Planned) -> list[str]:
    """The stage, the method and the data: few, and the same from sweep to sweep."""
    config = stage.config
    names = [str(config[node].name) for node in ("method", "data") if node in config]
    return list(dict.fromkeys(_shortened(tag, LONGEST_TAG) for tag in (stage.run.stage, *names)))


def logged_settings(stage: Planned) -> dict[str, Any]:
    """What loggers keep as the run's configuration: all that the run folder keeps, and links.

    The values that all its experiments have alike stand on top, under the ends of their names and
    as numbers where they are some, so that a plot over a sweep needs no search.
    """
    kept = {
        **recorded_settings(stage),
        **git_state(),
        "parent_runs": {name: run_id(run) for name, run in stage.parents.items()},
        "points": list(stage.needed_for),
    }
    alike = overrides_alike(stage.needed_for)
    swept = {_end(key, alike): read_value(value) for key, value in alike.items()}
    return {**swept, **kept}


def overrides_alike(points: Sequence[str]) -> dict[str, str]:
    """Option -> value, of what all of `points` are made by; a stage that several share has less.

    Args:
        points: overrides of experiments, each in one line.
    """
    made = [_overrides(point) for point in points]
    first = made[0] if made else {}
    return {
        key: value for key, value in first.items() if all(one.get(key) == value for one in made)
    }


def swept_names(point: str) -> dict[str, str]:
    """Option -> its name on top of the configuration of a run that `point` alone is made by."""
    alike = overrides_alike([point])
    return {key: _end(key, alike) for key in alike}


def read_value(value: str) -> Any:
    """A word of the command line as the number, list or text that it means."""
    return OmegaConf.to_container(OmegaConf.from_dotlist([f"value={value}"]))["value"]  # type: ignore[index,call-overload]


def _overrides(point: str) -> dict[str, str]:
    words = [word for word in NEXT.split(point) if word and not OF_THE_MACHINE.match(word)]
    parted = [word.partition("=") for word in words]
    return {key.lstrip("+~"): value for key, equals, value in parted if equals}


def _word(key: str, value: str) -> str:
    """A group's choice as itself (`method=mld`: "mld"), a value with the end of its name."""
    return value if key in GROUPS else f"{_last(key)}={value}"


def _end(key: str, keys: Mapping[str, str]) -> str:
    """The end of a name, or the whole where another one has the same end."""
    alone = sum(_last(other) == _last(key) for other in keys) == 1
    return _last(key) if alone else key


def _last(key: str) -> str:
    return key.rpartition(".")[2]


def _shortened(text: str, longest: int) -> str:
    """Long texts that differ stay different."""
    return text if len(text) <= longest else f"{text[: longest - 9]}~{digest(text)[:8]}"
