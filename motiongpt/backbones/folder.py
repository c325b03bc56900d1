"""A backbone in a folder: model/ (safetensors), text_tokenizer/ and backbone.json."""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from motiongpt.errors import UserError
from motiongpt.files import write_json

SETTINGS = "backbone.json"


def write_folder(
    folder: Path,
    language_model: PreTrainedModel,
    text_tokenizer: PreTrainedTokenizerBase,
    settings: dict[str, Any],
) -> None:
    """Write everything to a temporary folder beside `folder`, then rename it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".tmp", dir=folder.parent))
    try:
        language_model.save_pretrained(new / "model", safe_serialization=True)
        text_tokenizer.save_pretrained(new / "text_tokenizer")
        write_json(new / SETTINGS, settings)
        new.chmod(0o755)
        _replace(folder, new)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def read_settings(folder: Path) -> dict[str, Any]:
    """The settings of a saved backbone.

    Raises:
        UserError: there is no saved backbone in `folder`.
    """
    path = folder / SETTINGS
    if not path.is_file():
        raise UserError(f"{folder} holds no backbone ({SETTINGS} is absent): train one first")
    try:
        return dict(json.loads(path.read_text()))
    except ValueError as error:
        raise UserError(f"{path} can't be read ({error}): train the backbone again") from error


def read_folder(
    folder: Path,
    architecture: str,
    model_class: type[PreTrainedModel],
    codebook_size: int | None,
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase, dict[str, Any]]:
    """Model, text tokenizer and the other settings of a saved backbone.

    Raises:
        UserError: nothing saved there, another architecture, or another codebook size.
    """
    settings = read_settings(folder)
    found = settings.pop("architecture")
    if found != architecture:
        raise UserError(f"{folder} holds a {found} backbone, not {architecture}: choose backbone=…")
    size = settings["codebook_size"]
    if codebook_size not in (None, size):
        raise UserError(
            f"the backbone in {folder} writes motion of a codebook with {size} codes, the motion "
            f"tokenizer has {codebook_size}: train the backbone again for this tokenizer"
        )
    try:
        language_model = model_class.from_pretrained(folder / "model")
        text_tokenizer = AutoTokenizer.from_pretrained(folder / "text_tokenizer")
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise UserError(f"the backbone in {folder} can't be read: {reason}") from error
    return language_model, text_tokenizer, settings


def _replace(folder: Path, new: Path) -> None:
    """Put `new` in the place of `folder`; an old one stands aside until the new one is there."""
    if not folder.exists():
        new.rename(folder)
        return
    old = new.with_suffix(".old")
    folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old)
