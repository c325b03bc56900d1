"""A model folder: all that a trained model needs to be used, in one place that can be passed on.

motiongpt.json    format, name, frames per second, skeleton, parts, where it comes from
tokenizer/        `TrainedTokenizer.save`; holds mean and std of the features
language_model/   `Backbone.save`; absent where the tokenizer was published alone
README.md         the model card
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from motiongpt.backbones.base import Backbone
from motiongpt.backbones.loading import load_backbone
from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.data.replace_folder import replacing_folder
from motiongpt.errors import UserError
from motiongpt.files import write_json, write_text
from motiongpt.motion.skeleton import Skeleton, skeleton_by_name

FORMAT = 1
DESCRIPTION = "motiongpt.json"
TOKENIZER, LANGUAGE_MODEL = "tokenizer", "language_model"
TEMPLATES = "templates.json"
CARD = "README.md"


@dataclass(frozen=True)
class ModelFolder:
    """What stands in `motiongpt.json`, and the way to the parts beside it.

    Attributes:
        folder: where it lies.
        name: of the model.
        fps: frames per second of the motions that it reads and writes.
        skeleton: of those motions; its name.
        parts: "tokenizer", and "language_model" where there is one.
        source: where the weights come from, in the words of whoever wrote them.
    """

    folder: Path
    name: str
    fps: float
    skeleton: str
    parts: tuple[str, ...]
    source: Mapping[str, Any]

    @classmethod
    def open(cls, folder: str | Path) -> "ModelFolder":
        """Read the description; weights are read by `tokenizer` and `backbone`.

        Raises:
            UserError: no model folder, one of another format, or a damaged description.
        """
        path = Path(folder) / DESCRIPTION
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            if found["format"] != FORMAT:
                raise UserError(
                    f"{path}: format {found['format']}; this version reads format {FORMAT}: "
                    "update motiongpt"
                )
            opened = cls(
                folder=path.parent,
                name=str(found["name"]),
                fps=float(found["fps"]),
                skeleton=skeleton_by_name(found["skeleton"]).name,
                parts=tuple(map(str, found["parts"])),
                source=dict(found["source"]),
            )
        except (FileNotFoundError, NotADirectoryError):
            raise UserError(f"{folder}: not a model folder ({DESCRIPTION} is absent)") from None
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(f"{path}: not a model's description: {error!r}") from error
        _check(opened)
        return opened

    @property
    def templates(self) -> Path | None:
        """Instruction templates that the model was trained on; None for the project's own."""
        path = self.folder / TEMPLATES
        return path if path.is_file() else None

    def tokenizer(self, device: str | torch.device = "cpu") -> TrainedTokenizer:
        """The motion tokenizer, with the normalisation it was trained with.

        Raises:
            UserError: files missing or damaged, or features of another skeleton.
        """
        width = skeleton_by_name(self.skeleton).n_features
        return TrainedTokenizer.load(self.folder / TOKENIZER, n_features=width, device=device)

    def backbone(self, device: str | torch.device = "cpu") -> Backbone:
        """The language model.

        Raises:
            UserError: there is none, or files are missing or damaged.
        """
        if LANGUAGE_MODEL not in self.parts:
            raise UserError(
                f"{self.folder}: holds a tokenizer alone; choose a model that was published with "
                "its language model"
            )
        return load_backbone(self.folder / LANGUAGE_MODEL).to(device)


def write_model_folder(
    folder: Path,
    tokenizer: TrainedTokenizer,
    backbone: Backbone | None,
    *,
    name: str,
    fps: float,
    skeleton: str,
    source: Mapping[str, Any],
    templates: Path | None = None,
) -> None:
    """Write everything, or nothing; an older model folder is replaced.

    Args:
        backbone: None publishes the tokenizer alone.
        source: provenance that JSON can hold: stage signatures, a checkpoint and its checksum …
        templates: file of the instruction templates of the training; None for the project's own.

    Raises:
        UserError: parts that don't belong together, or `folder` holds something that is no model
            folder: it would be lost.
    """
    folder = Path(folder).absolute()
    parts = (TOKENIZER,) if backbone is None else (TOKENIZER, LANGUAGE_MODEL)
    described = ModelFolder(folder, name, float(fps), skeleton, parts, dict(source))
    _check(described)
    _check_parts(skeleton_by_name(skeleton), tokenizer, backbone)
    _refuse_to_overwrite(folder)
    with replacing_folder(folder) as new:
        tokenizer.save(new / TOKENIZER)
        if backbone is not None:
            backbone.save(new / LANGUAGE_MODEL)
        write_json(
            new / DESCRIPTION,
            {
                "format": FORMAT,
                "name": name,
                "fps": described.fps,
                "skeleton": skeleton,
                "parts": list(parts),
                "source": described.source,
            },
        )
        if templates is not None:
            write_text(new / TEMPLATES, Path(templates).read_text(encoding="utf-8"))
        write_text(new / CARD, _card(described))


def _check(described: ModelFolder) -> None:
    where = described.folder / DESCRIPTION
    if not 0 < described.fps < float("inf"):
        raise UserError(f"{where}: fps {described.fps:g}; expected a number above 0")
    if described.parts not in ((TOKENIZER,), (TOKENIZER, LANGUAGE_MODEL)):
        raise UserError(
            f"{where}: parts {list(described.parts)}; expected {TOKENIZER}, and {LANGUAGE_MODEL} "
            "where there is one"
        )


def _check_parts(
    skeleton: Skeleton, tokenizer: TrainedTokenizer, backbone: Backbone | None
) -> None:
    if tokenizer.n_features != skeleton.n_features:
        raise UserError(
            f"a tokenizer of {tokenizer.n_features} features doesn't fit the skeleton "
            f"{skeleton.name!r}, which has {skeleton.n_features}"
        )
    if backbone is not None and backbone.vocabulary.codebook_size != tokenizer.codebook_size:
        raise UserError(
            f"the language model writes a codebook of {backbone.vocabulary.codebook_size} codes, "
            f"the tokenizer has {tokenizer.codebook_size}: publish parts of one run"
        )


def _refuse_to_overwrite(folder: Path) -> None:
    if folder.is_dir() and any(folder.iterdir()) and not (folder / DESCRIPTION).is_file():
        raise UserError(
            f"{folder} holds other things than a model; choose a new or an empty folder"
        )
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file; choose a folder")


def _card(described: ModelFolder) -> str:
    """The model card, with the header that the Hugging Face hub reads."""
    speaks = LANGUAGE_MODEL in described.parts
    what = (
        "Reads and writes human motion as a language: text to motion, motion to text, prediction, "
        "in-between."
        if speaks
        else "A motion tokenizer: motion to a sequence of codes and back."
    )
    lines = [
        "---",
        "library_name: motiongpt",
        *(["tags: [motion, text-to-motion, motion-to-text]"] if speaks else ["tags: [motion]"]),
        "---",
        "",
        f"# {described.name}",
        "",
        what,
        "",
        f"- Motion: skeleton `{described.skeleton}`, {described.fps:g} frames per second",
        f"- Parts: {', '.join(described.parts)}",
        "",
        "## Source",
        "",
        "```json",
        json.dumps(described.source, indent=2, ensure_ascii=False),
        "```",
    ]
    usage = [
        "",
        "## Use",
        "",
        "```python",
        "from motiongpt import MotionGPT",
        "",
        f'model = MotionGPT.from_pretrained("{described.folder.name}")',
        'motion = model.text_to_motion("a person walks forward.", seed=1)[0]',
        'motion.save("walk.webp")',
        "```",
    ]
    return "\n".join([*lines, *(usage if speaks else [])]) + "\n"
