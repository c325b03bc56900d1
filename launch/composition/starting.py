"""`init_from=RUN`: each stage that trains starts from what the same part of another run learnt.

A stage that starts so is signed by the content of the weights' folder alone, not by logs or
checkpoints of the run, and wherever the run lies. Without `init_from` nothing is added to a stage's
settings, and no signature changes.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hydra.utils import get_class

from launch.composition.declarations import BY_CONTENT
from motiongpt.errors import UserError
from motiongpt.files import read_json
from motiongpt.training.start import OPTION, arguments_in

SIZES = "the same sizes are needed"


def started(plain: Mapping[str, Any], stage: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Settings of a stage, with the folder that it starts from where the configuration says so.

    Args:
        plain: the whole configuration.

    Raises:
        UserError: nothing there that can be opened, a method none of whose stages can start so, or
            one whose networks have other sizes.
    """
    where = plain.get(OPTION)
    if where is None:
        return settings
    starting = _stages_that_start(plain)
    if not starting:
        raise UserError(
            f"{OPTION}={where}: method={plain['method']['name']} trains nothing that could start "
            "from other weights; leave it out"
        )
    if stage not in starting:
        return settings
    from motiongpt.api.opening import trained_folder  # loads torch, and few ask

    part, last = starting[stage]
    try:
        folder = trained_folder(str(where), part, (last, stage), str(plain["method"]["name"]))
    except UserError as error:
        raise UserError(f"{OPTION}={error}") from error
    if differing := next(_differing(settings, folder), None):
        raise UserError(f"{OPTION}: {folder} for stage {stage}: {differing}; {SIZES}")
    declared = [*settings.get(BY_CONTENT, ()), OPTION]
    return {**settings, OPTION: str(folder), BY_CONTENT: declared}


def _stages_that_start(plain: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Stage -> part of the method whose weights it starts from, and the stage that leaves it."""
    method, stages = plain["method"], plain["stage"]
    parts = method.get("parts") or ({"codec": method["codec"]} if method.get("codec") else {})
    found = {stage: (part, stage) for part, stage in parts.items()}
    for last, first in (method.get("earlier") or {}).items():
        if last in found:
            found[first] = found[last]  # it learns first what the other one ends with
    return {stage: start for stage, start in found.items() if _can_start(stages.get(stage))}


def _can_start(settings: Any) -> bool:
    target = settings.get("_target_") if isinstance(settings, Mapping) else None
    return target is not None and bool(getattr(get_class(str(target)), "can_start", False))


def _differing(settings: Mapping[str, Any], folder: Path) -> Iterator[str]:
    """What a stage's networks have otherwise than the trained one, as far as settings say."""
    found = arguments_in(folder)
    record = read_json(folder.parent / "config.json", {}).get("settings", {})
    for key, node in settings.items():
        if not isinstance(node, Mapping) or not node.get("_partial_"):
            continue
        for name, value in node.items():
            if type(value) is int and type(found.get(name)) is int and found[name] != value:
                yield f"{key}.{name}={found[name]} there, {value} here"
        before = record.get(key) if isinstance(record, Mapping) else None
        target = before.get("_target_") if isinstance(before, Mapping) else None
        if target not in (None, node["_target_"]) and key not in ("optimizer", "scheduler"):
            yield f"{key} is {target} there, {node['_target_']} here"
