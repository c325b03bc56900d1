"""Whether a recorded sweep's experiments are still what its command makes, and why not."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from launch.composition.declarations import UNSIGNED, all_declared, stripped
from launch.plans.graph import Planned
from launch.runs.ledger import CONFIG, Run
from launch.runs.records import is_mapping, is_text, readable
from launch.sweeps.record import Point, Sweep

NAMED = 5
ABSENT = "absent"
RUN = {"settings": is_mapping, "config": is_mapping, "data": is_mapping}
PLAN = {"settings": is_mapping, "config": is_mapping, "fingerprint": is_text}

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
    reasons = _reasons(recorded, differing, planned)
    shown = [f"{option} ({how})" for option, how in reasons[:NAMED]]
    if len(reasons) > NAMED:
        shown.append(f"and {len(reasons) - NAMED} more")
    what = "defaults" if all(_is_given(old, new) for old, new in pairs) else "overrides or defaults"
    why = ", ".join(shown) or "what was not recorded, or the content of a file"
    return (
        f"{what} have changed since {recorded.name} was recorded: {len(differing)} of its "
        f"{len(recorded.points)} experiments now differ, from {why}; they are the sweep "
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
    differing: Sequence[tuple[Point, Point]],
    planned: Mapping[tuple[str, str], Planned],
) -> list[tuple[str, str]]:
    """Options, and how they differ between two versions of the experiments."""
    found: dict[tuple[str, str], str] = {}
    for old, new in differing:
        before = dict(old.stages)
        for name, signature in new.stages:
            if before.get(name, signature) == signature:
                continue  # the same, or new: then what builds on it says so
            known = _recorded_stage(recorded, name, before[name])
            if known is None:
                continue
            stage = planned[name, signature]
            for key, how in _changed(_signed(known.settings), _signed(stage.settings)).items():
                option = f"stage.{name}.{key}"
                if (option, how) not in found:
                    found[option, how] = _origin(option, how, known.config, stage.plain_config)
            if known.fingerprint not in ("", stage.fingerprint):
                how = f"was {known.fingerprint}, is {stage.fingerprint}"
                found["", how] = "the data's fingerprint"
    return list(dict.fromkeys((origin, how) for (_, how), origin in found.items()))


@dataclass(frozen=True)
class Recorded:
    """A stage as it was.

    Attributes:
        settings: of the stage.
        config: of its experiment.
        fingerprint: of the data; empty where it was not written down.
    """

    settings: Options
    config: Options
    fingerprint: str = ""


def _recorded_stage(recorded: Sweep, name: str, signature: str) -> Recorded | None:
    """What its run says, or the file that its job was given, or the sweep of its first experiment;
    None where nobody wrote it down."""
    run, _ = readable(Run(recorded.root, name, signature).where / CONFIG, RUN)
    if run.keys() >= RUN.keys():
        return Recorded(run["settings"], run["config"], str(run["data"].get("fingerprint", "")))
    for file in recorded.folder.glob(f"submissions/*/**/{name}-{signature}.json"):
        plan, _ = readable(file, PLAN)
        if plan.keys() >= PLAN.keys():
            return Recorded(plan["settings"], plan["config"], plan["fingerprint"])
    if [name, signature] in recorded.points[0].stages:
        return Recorded(recorded.config["stage"][name], recorded.config)
    return None


def _origin(key: str, how: str, before: Options, after: Options) -> str:
    """The option that a stage's setting follows: it has the same name and changed in the same way.

    Args:
        before, after: the whole configuration.
    """
    last = key.rpartition(".")[2]
    followed = [
        one
        for one, its in _changed(_flat(before), _flat(after)).items()
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
