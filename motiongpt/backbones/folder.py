"""A backbone in a folder: model/ (safetensors) or adapters/, text_tokenizer/ and backbone.json."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from motiongpt.data.replace_folder import replacing_folder
from motiongpt.errors import UserError
from motiongpt.files import write_json
from motiongpt.pretrained_tokenizer import load_tokenizer
from motiongpt.reading import file_size, read_json_object
from motiongpt.transformers_classes import transformers_class
from motiongpt.weights import check_weights

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

SETTINGS = "backbone.json"


def write_folder(
    folder: Path,
    save_model: Callable[[Path], None],
    text_tokenizer: PreTrainedTokenizerBase,
    settings: dict[str, Any],
) -> None:
    """Write everything, or nothing: an old folder stands until the new one is complete."""
    with replacing_folder(folder) as new:
        save_model(new)
        text_tokenizer.save_pretrained(new / "text_tokenizer")
        write_json(new / SETTINGS, settings)


def read_settings(folder: Path) -> dict[str, Any]:
    """The settings of a saved backbone.

    Raises:
        UserError: there is no saved backbone in `folder`.
    """
    path = folder / SETTINGS
    if not path.exists():
        raise UserError(f"{folder} holds no backbone ({SETTINGS} is absent): train one first")
    try:
        return read_json_object(path)
    except (OSError, ValueError) as error:
        raise UserError(f"{path} can't be read ({error}): train the backbone again") from error


def read_folder(
    folder: Path,
    architecture: str,
    model_class: str,
    codebook_size: int | None,
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase, dict[str, Any]]:
    """Model, text tokenizer and the other settings of a saved backbone.

    Raises:
        UserError: nothing saved there, another architecture, or another codebook size.
    """
    settings = read_about(folder, architecture, codebook_size)
    try:
        for file in (*folder.glob("model/*"), *folder.glob("text_tokenizer/*")):
            file_size(file)
        language_model, found = transformers_class(model_class).from_pretrained(
            folder / "model", output_loading_info=True
        )
        text_tokenizer = load_tokenizer(folder / "text_tokenizer")
    except Exception as error:  # transformers raises whatever its parts make of a damaged file
        reason = " ".join(str(error).split()) or type(error).__name__
        raise UserError(f"the backbone in {folder} can't be read: {reason}") from error
    wrong = [*found["missing_keys"], *found["unexpected_keys"]]
    if wrong:
        raise UserError(
            f"the backbone in {folder} can't be read: its weights are others than config.json "
            f"says, first {sorted(wrong)[0]}; get the folder again, whole"
        )
    state = language_model.state_dict()
    check_weights(state, state, f"{folder}: ")
    return language_model, text_tokenizer, settings


def read_about(folder: Path, architecture: str, codebook_size: int | None) -> dict[str, Any]:
    """The settings of a saved backbone besides its architecture, once they are the wanted ones.

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
            f"the backbone in {folder} generates motion of a codebook of {size} codes, the motion "
            f"tokenizer has {codebook_size}: train the backbone again for this tokenizer"
        )
    return settings
