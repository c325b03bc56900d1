"""Whether a published model can be had, without loading or fetching it."""

import json
from pathlib import Path

from motiongpt.errors import UserError
from motiongpt.reachable import hub_is_reachable

CONFIG = "config.json"
WEIGHTS = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)
"""Files of which transformers reads one, in its order."""


def check_source(option: str, source: str, instead: str) -> str | None:
    """Refuse a model of transformers that its stage would not find.

    Args:
        option: that names it.
        source: a folder, or a name on the Hugging Face hub.
        instead: what else may be done, in words.

    Returns:
        The kind of model that its configuration names; None where that is not on this machine.

    Raises:
        UserError: a folder without configuration or weights; a name that is neither in the hub's
            local cache nor, as far as can be told, on the hub.
    """
    where = f"{option}={source} can't be loaded"
    if Path(source).is_dir():
        if not Path(source, CONFIG).is_file():
            raise UserError(
                f"{where}: no model in this folder (no {CONFIG}); name one that has it, or "
                f"{instead}"
            )
        if not any(Path(source, name).is_file() for name in WEIGHTS):
            raise UserError(
                f"{where}: no weights in this folder (no {' or '.join(WEIGHTS)}); name a complete "
                f"copy, or {instead}"
            )
        return _kind(where, Path(source, CONFIG))
    config = _cached(source, CONFIG)
    if config is not None and any(_cached(source, name) for name in WEIGHTS):
        return _kind(where, config)
    _check_hub(where, source, instead)
    return None


def how_to_fetch(source: str) -> str:
    """What brings a model here that is on the hub, in words: `hf` comes with huggingface_hub."""
    return (
        f"fetch it where the hub can be reached, by `hf download {source} --local-dir FOLDER`, "
        "and pass its folder"
    )


def _kind(where: str, config: Path) -> str | None:
    try:
        found = json.loads(config.read_text(encoding="utf-8"))
        return found.get("model_type")
    except (OSError, ValueError, AttributeError) as error:
        said = " ".join(str(error).split())[:200]
        raise UserError(f"{where}: {config} can't be read ({said}): get it again") from error


def _cached(source: str, name: str) -> Path | None:
    """A file of the hub's local cache."""
    from huggingface_hub import try_to_load_from_cache  # most names are of what is trained here
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(source, name)
    except HFValidationError:
        return None
    return Path(found) if isinstance(found, str) else None


def _check_hub(where: str, source: str, instead: str) -> None:
    elsewhere = f"{how_to_fetch(source)}, or {instead}"
    if not hub_is_reachable():
        raise UserError(f"{where}: no such folder, and the hub can't be reached: {elsewhere}")
    from huggingface_hub import file_exists
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        found = file_exists(source, CONFIG)
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        said = " ".join(str(error).split())[:200]
        raise UserError(f"{where}: the hub does not give it ({said}): {elsewhere}") from error
    if not found:
        raise UserError(f"{where}: no such folder, and the hub has no such model: {elsewhere}")
