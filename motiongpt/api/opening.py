"""Finding a trained model by whatever name a person has for it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from motiongpt.api.codec_only import CODEC, CodecOnly
from motiongpt.api.run_record import RunRecord
from motiongpt.checksums import damage_below
from motiongpt.errors import UserError
from motiongpt.files import read_json
from motiongpt.methods.base import Method, MotionFormat
from motiongpt.methods.loading import load_method
from motiongpt.motion.skeleton import SKELETONS, Skeleton, skeleton_by_name
from motiongpt.published.folder import DESCRIPTION, TEMPLATES, ModelFolder
from motiongpt.published.small import FOLDER as SMALL_FOLDER
from motiongpt.published.small import SMALL
from motiongpt.training.stage import MODEL

RUNS = "runs"
EXPECTED = (
    "expected a model folder, a finished run such as outputs/runs/instruct/SIGNATURE, the root of "
    "an experiment with one of them, a name of the hub, OWNER/NAME"
)
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class Opened:
    """A trained method, and all that is known of it.

    Attributes:
        method: on the device asked for.
        folders: part -> where it lies.
        format: of the motions that it reads and generates.
        name: for people.
        source: where it comes from, as JSON can hold it.
    """

    method: Method
    folders: Mapping[str, Path]
    format: MotionFormat
    name: str
    source: Mapping[str, Any]


def open_model(
    where: str | Path, device: str | torch.device, revision: str | None = None
) -> Opened:
    """Open a model folder, a run, an experiment's root or a name of the hub.

    Raises:
        UserError: nothing there that can be opened; says what was expected.
    """
    folder = _folder(where)
    if not folder.exists() and _HUB_NAME.fullmatch(str(where)):
        from motiongpt.published.hub import from_hub

        folder = from_hub(str(where), revision)
    if not folder.is_dir():
        raise UserError(f"{where}: no such folder; {EXPECTED}")
    if (folder / DESCRIPTION).is_file():
        return _open_model_folder(folder, device)
    if (folder / RUNS).is_dir():
        folder = _only_run(folder)
    if (folder / "config.json").is_file() and (folder / "status.json").is_file():
        return _open_run(folder, device)
    raise UserError(f"{where}: nothing to open; {EXPECTED}")


def trained_folder(
    where: str | Path, part: str, stages: Sequence[str], method: str | None = None
) -> Path:
    """Folder of the weights of one part of a trained method; nothing is loaded.

    Args:
        where: a model folder, a run of any stage, or an experiment's root.
        part: its name in a model folder.
        stages: that leave it, the one that is taken first where a run has several behind it.
        method: whose run is looked for in a root; None for any.

    Raises:
        UserError: nothing there that can be opened, nothing of that name, or a run that is not
            finished or is damaged; says what was expected.
    """
    folder = _folder(where)
    if (folder / DESCRIPTION).is_file():
        found = ModelFolder.open(folder)
        if part not in found.parts:
            raise UserError(f"{where}: has no part {part!r}; it has {', '.join(found.parts)}")
        return found.part(part)
    if (folder / RUNS).is_dir():
        folder = _only_run(folder, method)
    if not (folder / "config.json").is_file() or not (folder / "status.json").is_file():
        raise UserError(f"{where}: nothing to open; {EXPECTED}")
    family = _family(folder)
    run = next((family[stage] for stage in stages if stage in family), None)
    if run is None:
        there = ", ".join(sorted(family))
        raise UserError(f"{where}: no stage {stages[0]} is behind it; it has {there}")
    _check_whole(run)
    return run / MODEL


def part_folders(where: str | Path) -> dict[str, Path]:
    """Part of a trained method -> folder of its weights; nothing is loaded.

    Args:
        where: a model folder, a run, or an experiment's root.

    Raises:
        UserError: nothing there that can be opened; says what was expected.
    """
    folder = _folder(where)
    if (folder / DESCRIPTION).is_file():
        found = ModelFolder.open(folder)
        return {part: found.part(part) for part in found.parts}
    if (folder / RUNS).is_dir():
        folder = _only_run(folder)
    if not (folder / "config.json").is_file() or not (folder / "status.json").is_file():
        raise UserError(f"{where}: nothing to open; {EXPECTED}")
    runs, _ = _finished_runs(folder, RunRecord.read(folder))
    return {part: run / MODEL for part, run in runs.items()}


def _folder(where: str | Path) -> Path:
    """The path; `small` is the package's own small model where no folder is called so.

    Raises:
        UserError: it was not made yet; says how.
    """
    folder = Path(where).expanduser()
    if str(where) != SMALL or folder.exists():
        return folder
    if not SMALL_FOLDER.is_dir():
        raise UserError(
            f"{SMALL}: it was not made yet: run `motiongpt run experiment=quickstart`, "
            "then `python -m launch.small_model outputs`; or name a model"
        )
    return SMALL_FOLDER


def _open_model_folder(folder: Path, device: str | torch.device) -> Opened:
    found = ModelFolder.open(folder)
    for part in found.parts:
        found.part(part)
    method = _method(found.method, found.folders, found.format, device)
    return Opened(method, found.folders, found.format, found.name, found.source)


def _only_run(root: Path, method: str | None = None) -> Path:
    """The one finished run of an experiment's root that has a whole method below it."""
    found = sorted(run for run in _whole_runs(root) if method in (None, RunRecord.read(run).method))
    if len(found) == 1:
        return found[0]
    if not found:
        raise UserError(f"{root}: no finished run of a whole method; `motiongpt run` makes one")
    names = ", ".join(str(run) for run in found[:5])
    raise UserError(f"{root}: {len(found)} finished runs of a method; choose one: {names}")


def _whole_runs(root: Path) -> Iterable[Path]:
    """Of each set of runs that makes a whole method, the run that builds on least besides.

    That is the method's last stage or, where no stage builds on all others, what generates.
    """
    found: dict[frozenset[Path], tuple[int, Path]] = {}
    for status in (root / RUNS).glob("*/*/status.json"):
        run = status.parent
        stages, family = set(RunRecord.read(run).parts.values()), _family(run)
        if not stages or not stages <= family.keys():
            continue
        parts = frozenset(family[stage].resolve() for stage in stages)
        if all(map(_is_finished, [run, *parts])):
            found[parts] = min((len(family), run), found.get(parts, (len(family), run)))
    return [run for _, run in found.values()]


def _finished_runs(folder: Path, record: RunRecord) -> tuple[dict[str, Path], dict[str, Path]]:
    """Part -> the run that leaves it, and stage -> run of all that `folder` builds on.

    Raises:
        UserError: a part is missing, not finished or damaged.
    """
    family = _family(folder)
    runs = _runs_of_parts(record, family)
    missing = [stage for part, stage in record.parts.items() if part not in runs]
    if missing or not record.parts:
        raise UserError(
            f"{folder}: a run without {missing[0] if missing else 'a method'}, which method "
            f"{record.method} needs; {EXPECTED}"
        )
    for run in runs.values():
        _check_whole(run)
    return runs, family


def _check_whole(run: Path) -> None:
    """Refuse a run that is not finished or whose model is damaged.

    Raises:
        UserError: says how to mend it.
    """
    if not _is_finished(run):
        state = read_json(run / "status.json", {}).get("state", "absent")
        raise UserError(f"{run}: not finished ({state}); `motiongpt run` finishes it")
    if said := damage_below(run, whole=True, part=MODEL):
        raise UserError(f"{run}: finished, but {said}: run with --again {run.parent.name}")


def _open_run(folder: Path, device: str | torch.device) -> Opened:
    record = RunRecord.read(folder)
    runs, family = _finished_runs(folder, record)
    folders = {part: run / MODEL for part, run in runs.items()}
    if (templates := _templates(record, folder)) is not None:
        folders[TEMPLATES] = templates
    format = _format(record, next(iter(runs.values())))
    return Opened(
        method=_method(record.method, folders, format, device),
        folders=folders,
        format=format,
        name=folder.name if record.group is None else record.group,
        source={
            "runs": {stage: run.name for stage, run in sorted(family.items())},
            "data": record.data.get("fingerprint"),
        },
    )


def _method(
    name: str, folders: Mapping[str, Path], format: MotionFormat, device: str | torch.device
) -> Method:
    """The method of these parts; a codec alone reconstructs, whoever's it is."""
    if set(folders) - {TEMPLATES} == {CODEC}:
        return CodecOnly.load(folders, format, device, name=name)
    return load_method(name, folders, format, device)


def _runs_of_parts(record: RunRecord, family: Mapping[str, Path]) -> dict[str, Path]:
    """Part -> the run that leaves it, or an earlier stage's that can stand in."""
    found = {
        part: family.get(stage, family.get(record.earlier.get(stage, "")))
        for part, stage in record.parts.items()
    }
    return {part: run for part, run in found.items() if run is not None}


def _family(run: Path) -> dict[str, Path]:
    """A run and all that it builds on, by stage; what is nearest stands for its stage."""
    runs = run.absolute().parent.parent
    found: dict[str, Path] = {}
    waiting = [(run.absolute().parent.name, run)]
    while waiting:
        stage, folder = waiting.pop(0)
        if stage in found:
            continue
        found[stage] = folder
        parents = RunRecord.read(folder).parents
        waiting += [(name, runs / name / signature) for name, signature in parents.items()]
    return found


def _is_finished(run: Path) -> bool:
    return bool(read_json(run / "status.json", {}).get("state") == "finished")


def _format(record: RunRecord, part: Path) -> MotionFormat:
    """What the store of the run had; runs of earlier versions say less."""
    data = record.data
    try:
        if "skeleton" in data:
            return MotionFormat(float(data["fps"]), skeleton_by_name(data["skeleton"]))
        return MotionFormat(float(record.asked_data["fps"]), _skeleton_of(part))
    except (KeyError, TypeError, ValueError):
        raise UserError(f"{record.path}: no data.fps; run the stage again") from None
    except UserError as error:
        if str(part) in str(error):
            raise
        raise UserError(f"{record.path}: {error}") from error


def _skeleton_of(run: Path) -> Skeleton:
    """That whose features are as wide as the codec's: different skeletons have different widths."""
    width = read_json(run / MODEL / "tokenizer.json", {}).get("arguments", {}).get("n_features")
    for skeleton in SKELETONS.values():
        if skeleton.n_features == width:
            return skeleton
    known = ", ".join(f"{one.n_features} ({one.name})" for one in SKELETONS.values())
    raise UserError(f"{run}: features of width {width} belong to no known skeleton: {known}")


def _templates(record: RunRecord, run: Path) -> Path | None:
    """The instruction templates of the training, where they were not the project's own."""
    if record.templates is None:
        return None
    path = Path(record.templates)
    if not path.is_file():
        raise UserError(
            f"{run}: was trained on the templates {path}, which are not there; open it where "
            "that path leads to them"
        )
    return path
