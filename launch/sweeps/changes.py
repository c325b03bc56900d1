"""Whether a recorded sweep's experiments are still what its command makes, and why not."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from launch.plans.declarations import UNSIGNED, all_declared, stripped
from launch.plans.graph import Planned
from launch.runs.ledger import CONFIG, Run
from launch.sweeps.record import Point, Sweep
from motiongpt.files import read_json

NAMED = 5
ABSENT = "absent"

Options = Mapping[str, Any]
"""Values by dotted key."""


def changes_since(recorded: Sweep, sweep: Sweep, plan: Sequence[Planned]) -> str:
    """A line on what differs and from which options; empty where the experiments are the same.

    Args:
        recorded: the sweep as it was.
        sweep: what its command makes now.
        plan: the stages of `sweep`.
    """
    if recorded.name == sweep.name:
        return ""
    planned = {(stage.run.stage, stage.run.signature): stage for stage in plan}
    pairs = list(zip(recorded.points, sweep.points, strict=False))
    differing = [(old, new) for old, new in pairs if old.stages != new.stages]
    reasons: dict[str, str] = {}
    for old, new in differing:
        reasons |= _reasons(recorded, sweep, old, new, planned)
    shown = [f"{key} ({how})" for key, how in list(reasons.items())[:NAMED]]
    if len(reasons) > NAMED:
        shown.append(f"and {len(reasons) - NAMED} more")
    what = "defaults" if all(_is_given(old, new) for old, new in pairs) else "overrides or defaults"
    return (
        f"{what} have changed since {recorded.name} was recorded: {len(differing)} of its "
        f"{len(recorded.points)} experiments now differ, from "
        f"{', '.join(shown) or 'a file that is signed by its content'}; they are the sweep "
        f"{sweep.name} now, and what {recorded.name} has finished stays"
    )


def _is_given(old: Point, new: Point) -> bool:
    """Whether the overrides that may change a result are those of before."""
    return _words(old) == _words(new)


def _words(point: Point) -> list[str]:
    keys_of_places = ("paths.", "launcher")
    return [word for word in point.words if not word.lstrip("+~").startswith(keys_of_places)]


def _reasons(
    recorded: Sweep,
    sweep: Sweep,
    old: Point,
    new: Point,
    planned: Mapping[tuple[str, str], Planned],
) -> dict[str, str]:
    """Option -> how it differs between two versions of an experiment."""
    before = dict(old.stages)
    found: dict[str, str] = {}
    common = _changed(_flat(recorded.config), _flat(sweep.config))
    for name, signature in new.stages:
        if before.get(name) == signature:
            continue
        stage = planned[name, signature]
        settings, fingerprint = _recorded_stage(recorded, name, before.get(name))
        if settings is None:
            continue
        for key, how in _changed(_signed(settings), _signed(stage.settings)).items():
            found[_origin(f"stage.{name}.{key}", how, common)] = how
        if fingerprint not in (None, stage.fingerprint):
            found["the data"] = f"was {fingerprint}, is {stage.fingerprint}"
    return found


def _recorded_stage(
    recorded: Sweep, name: str, signature: str | None
) -> tuple[Options | None, str | None]:
    """Settings and data's fingerprint of a stage as it was: of its run, else of the sweep's first
    experiment; None where nobody wrote them down."""
    if signature is None:
        return None, None
    run = read_json(Run(recorded.root, name, signature).where / CONFIG, {})
    if run:
        return run["settings"], run["data"]["fingerprint"]
    if [name, signature] in recorded.points[0].stages:
        return recorded.config["stage"][name], None
    return None, None


def _origin(key: str, how: str, common: Mapping[str, str]) -> str:
    """The option that a stage's setting follows: it has the same name and changed in the same way.

    Args:
        common: changes of all options of the experiment.
    """
    last = key.rpartition(".")[2]
    followed = [
        one
        for one, its in common.items()
        if its == how and one.rpartition(".")[2] == last and not one.startswith("stage.")
    ]
    return followed[0] if followed else key


def _changed(before: Options, after: Options) -> dict[str, str]:
    keys = dict.fromkeys([*before, *after])
    return {
        key: f"was {before.get(key, ABSENT)}, is {after.get(key, ABSENT)}"
        for key in keys
        if before.get(key, ABSENT) != after.get(key, ABSENT)
    }


def _signed(settings: Options) -> Options:
    """What can change a result, files by their names."""
    unsigned = [".".join(one.path) for one in all_declared(settings) if one.kind == UNSIGNED]
    return {
        key: value
        for key, value in _flat(stripped(settings)).items()
        if not any(key == path or key.startswith(f"{path}.") for path in unsigned)
    }


def _flat(settings: Options) -> Options:
    return dict(_leaves(settings, ()))


def _leaves(node: Any, path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    if isinstance(node, Mapping) and node:
        for key, value in node.items():
            yield from _leaves(value, (*path, str(key)))
    else:
        yield ".".join(path), node
