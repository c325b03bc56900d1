"""Finding a trained model by whatever name a person has for it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from motiongpt.backbones.base import Backbone
from motiongpt.backbones.loading import load_backbone
from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.errors import UserError
from motiongpt.files import read_json
from motiongpt.motion.skeleton import SKELETONS, Skeleton, skeleton_by_name
from motiongpt.published.folder import DESCRIPTION, ModelFolder

RUNS, INSTRUCT, TOKENIZER, MODEL = "runs", "instruct", "tokenizer", "model"
LANGUAGE_STAGES = (INSTRUCT, "pretrain")
EXPECTED = (
    "expected a model folder, a finished run such as outputs/runs/instruct/SIGNATURE, the root of "
    "an experiment with one of them, or a name of the hub, OWNER/NAME"
)
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class Opened:
    """All parts of a trained model.

    Attributes:
        tokenizer, backbone: on the device asked for.
        name: for people.
        fps, skeleton: of the motions that it reads and writes.
        source: where it comes from, as JSON can hold it.
        templates: instruction templates it was trained on; None for the project's own.
    """

    tokenizer: TrainedTokenizer
    backbone: Backbone
    name: str
    fps: float
    skeleton: Skeleton
    source: Mapping[str, Any]
    templates: Path | None = None


def open_model(
    where: str | Path, device: str | torch.device, revision: str | None = None
) -> Opened:
    """Open a model folder, a run, an experiment's root or a name of the hub.

    Raises:
        UserError: nothing there that can be opened; says what was expected.
    """
    folder = Path(where).expanduser()
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


def _open_model_folder(folder: Path, device: str | torch.device) -> Opened:
    found = ModelFolder.open(folder)
    return Opened(
        tokenizer=found.tokenizer(device),
        backbone=found.backbone(device),
        name=found.name,
        fps=found.fps,
        skeleton=skeleton_by_name(found.skeleton),
        source=found.source,
        templates=found.templates,
    )


def _only_run(root: Path) -> Path:
    """The one finished instruct run of an experiment's root."""
    runs = sorted((root / RUNS / INSTRUCT).glob("*/status.json"))
    finished = [run.parent for run in runs if _is_finished(run.parent)]
    if len(finished) == 1:
        return finished[0]
    if not finished:
        raise UserError(f"{root}: no finished instruct run; `motiongpt run` makes one")
    names = ", ".join(str(run) for run in finished[:5])
    raise UserError(f"{root}: {len(finished)} finished instruct runs; choose one: {names}")


def _open_run(folder: Path, device: str | torch.device) -> Opened:
    family = _family(folder)
    language = next((family[stage] for stage in LANGUAGE_STAGES if stage in family), None)
    if language is None or TOKENIZER not in family:
        raise UserError(f"{folder}: a run without a language model; {EXPECTED}")
    for run in (family[TOKENIZER], language):
        if not _is_finished(run):
            state = read_json(run / "status.json", {}).get("state", "absent")
            raise UserError(f"{run}: not finished ({state}); `motiongpt run` finishes it")
    config = read_json(language / "config.json", {})
    tokenizer = TrainedTokenizer.load(family[TOKENIZER] / MODEL, device=device)
    backbone = load_backbone(language / MODEL, tokenizer.codebook_size).to(device)
    return Opened(
        tokenizer=tokenizer,
        backbone=backbone,
        name=str(config["config"].get("group", folder.name)),
        fps=_fps(config, language),
        skeleton=_skeleton_of_width(tokenizer.n_features, family[TOKENIZER]),
        source={
            "runs": {stage: run.name for stage, run in sorted(family.items())},
            "data": config["data"]["fingerprint"],
        },
        templates=_templates(config, language),
    )


def _family(run: Path) -> dict[str, Path]:
    """A run and all that it builds on, by stage; what is nearest stands for its stage."""
    runs = run.absolute().parent.parent
    found: dict[str, Path] = {}
    waiting = [(run.parent.name, run)]
    while waiting:
        stage, folder = waiting.pop(0)
        if stage in found:
            continue
        found[stage] = folder
        parents = read_json(folder / "config.json", {}).get("parents", {})
        waiting += [(name, runs / name / signature) for name, signature in parents.items()]
    return found


def _is_finished(run: Path) -> bool:
    return bool(read_json(run / "status.json", {}).get("state") == "finished")


def _fps(config: Mapping[str, Any], run: Path) -> float:
    try:
        return float(config["config"]["data"]["fps"])
    except (KeyError, TypeError, ValueError):
        raise UserError(f"{run / 'config.json'}: no config.data.fps; run the stage again") from None


def _skeleton_of_width(width: int, run: Path) -> Skeleton:
    """Features of different skeletons have different widths."""
    for skeleton in SKELETONS.values():
        if skeleton.n_features == width:
            return skeleton
    known = ", ".join(f"{one.n_features} ({one.name})" for one in SKELETONS.values())
    raise UserError(f"{run}: features of width {width} belong to no known skeleton: {known}")


def _templates(config: Mapping[str, Any], run: Path) -> Path | None:
    """The instruction templates of the training, where they were not the project's own."""
    named = config["config"].get("tasks", {}).get("templates")
    if named is None:
        return None
    path = Path(named)
    if not path.is_file():
        raise UserError(
            f"{run}: was trained on the templates {path}, which are not there; open it where "
            "that path leads to them"
        )
    return path
