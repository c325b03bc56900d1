"""A model folder: all that a trained method needs to be used, in one place that can be passed on.

motiongpt.json    format, method, name, frames per second, skeleton, parts, where it comes from
checksums.json    size and SHA-256 of each file of a part; absent in folders of earlier versions
PART/             one folder for each part of the method, as its stage left it
templates.json    instruction templates of a MotionGPT's training; absent for the project's own
README.md         the model card
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from motiongpt.checksums import damage_below, write_checksums
from motiongpt.data.replace_folder import replacing_folder
from motiongpt.errors import UserError
from motiongpt.files import write_json, write_text
from motiongpt.methods.base import MotionFormat
from motiongpt.motion.skeleton import skeleton_by_name
from motiongpt.reading import read_json_object

FORMAT = 2
DESCRIPTION = "motiongpt.json"
TEMPLATES = "templates"
CARD = "README.md"
MOTIONGPT, CODEC, LANGUAGE_MODEL = "motiongpt", "codec", "language_model"
# Format 1 knew one method and called its codec by another name.
FIRST_NAMES = {"tokenizer": CODEC}

SavePart = Callable[[Path], object]
"""Writes a part into a folder."""


@dataclass(frozen=True)
class ModelFolder:
    """What stands in `motiongpt.json`, and the way to the parts beside it.

    Attributes:
        folder: where it lies.
        method: whose model it is.
        name: of the model.
        fps: frames per second of the motions that it reads and generates.
        skeleton: of those motions; its name.
        parts: part -> name of its folder.
        source: where the weights come from, in the words of whoever wrote them.
    """

    folder: Path
    method: str
    name: str
    fps: float
    skeleton: str
    parts: Mapping[str, str]
    source: Mapping[str, Any]

    @classmethod
    def open(cls, folder: str | Path) -> "ModelFolder":
        """Read the description; weights are read by the method.

        Raises:
            UserError: no model folder, one of another format, or a damaged description.
        """
        path = Path(folder) / DESCRIPTION
        try:
            found = read_json_object(path)
            if found["format"] not in (1, FORMAT):
                raise UserError(
                    f"{path}: format {found['format']}; this version reads format {FORMAT}: "
                    "update motiongpt"
                )
            opened = cls(
                folder=path.parent,
                method=str(found.get("method", MOTIONGPT)),
                name=str(found["name"]),
                fps=float(found["fps"]),
                skeleton=_skeleton(found["skeleton"], path),
                parts={FIRST_NAMES.get(part, part): part for part in map(_part, found["parts"])},
                source=dict(found["source"]),
            )
        except (FileNotFoundError, NotADirectoryError):
            raise UserError(f"{folder}: not a model folder ({DESCRIPTION} is absent)") from None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(f"{path}: not a model's description: {error!r}") from error
        _check_fps(opened)
        return opened

    @property
    def format(self) -> MotionFormat:
        """Of the motions."""
        return MotionFormat(self.fps, skeleton_by_name(self.skeleton))

    @property
    def folders(self) -> dict[str, Path]:
        """Part -> folder, with the templates where there are some."""
        found = {part: self.folder / name for part, name in self.parts.items()}
        templates = self.folder / f"{TEMPLATES}.json"
        return found | ({TEMPLATES: templates} if templates.is_file() else {})

    def part(self, part: str) -> Path:
        """Folder of one part.

        Raises:
            UserError: it has no such part, the part's folder is empty, or a file is not as it was
                written.
        """
        if part not in self.parts:
            raise UserError(
                f"{self.folder}: a model of method {self.method} without {part}; it has "
                f"{', '.join(self.parts)}: choose another model folder"
            )
        folder = self.folder / self.parts[part]
        if not folder.is_dir() or not any(folder.iterdir()):
            raise UserError(f"{folder}: no weights here; get the model folder again, whole")
        if said := damage_below(self.folder, whole=True, part=self.parts[part]):
            raise UserError(f"{self.folder}: {said}; get the model folder again, whole")
        return folder


def write_model_folder(
    folder: Path,
    parts: Mapping[str, SavePart],
    *,
    method: str,
    name: str,
    format: MotionFormat,
    source: Mapping[str, Any],
    templates: Path | None = None,
    card: Callable[[ModelFolder], str] | None = None,
) -> ModelFolder:
    """Write everything, or nothing; an older model folder is replaced.

    Args:
        parts: part -> what writes it.
        source: provenance that JSON can hold: stage signatures, a checkpoint and its checksum …
        templates: file of the instruction templates of the training; None for the project's own.
        card: makes README.md of the folder.

    Raises:
        UserError: `folder` holds something that is no model folder: it would be lost.
    """
    folder = Path(folder).absolute()
    described = ModelFolder(
        folder,
        method,
        name,
        float(format.fps),
        format.skeleton.name,
        {part: part for part in parts},
        dict(source),
    )
    _check_fps(described)
    _refuse_to_overwrite(folder)
    with replacing_folder(folder) as new:
        for part, save in parts.items():
            save(new / part)
        write_json(
            new / DESCRIPTION,
            {
                "format": FORMAT,
                "method": method,
                "name": name,
                "fps": described.fps,
                "skeleton": described.skeleton,
                "parts": list(parts),
                "source": described.source,
            },
        )
        write_checksums(new, (file for part in parts for file in _files(new / part)))
        if templates is not None:
            write_text(new / f"{TEMPLATES}.json", Path(templates).read_text(encoding="utf-8-sig"))
        if card is not None:
            write_text(new / CARD, card(replace(described, folder=new)))
    return described


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in folder.rglob("*") if file.is_file())


def _part(name: object) -> str:
    """A part's name, which is that of its folder: it must not lead out of the model folder."""
    if not isinstance(name, str) or not re.fullmatch(r"\w+", name):
        raise ValueError(f"a part {name!r}; expected a word")
    return name


def _skeleton(name: str, path: Path) -> str:
    try:
        return skeleton_by_name(name).name
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def _check_fps(described: ModelFolder) -> None:
    if not 0 < described.fps < float("inf"):
        where = described.folder / DESCRIPTION
        raise UserError(f"{where}: fps {described.fps:g}; expected a number above 0")


def _refuse_to_overwrite(folder: Path) -> None:
    if folder.is_dir() and any(folder.iterdir()) and not (folder / DESCRIPTION).is_file():
        raise UserError(
            f"{folder} holds other things than a model; choose a new or an empty folder"
        )
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file; choose a folder")
