"""A checkpoint of another project, once, into a model folder."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from motiongpt.data.download import file_sha256
from motiongpt.errors import UserError
from motiongpt.published import importers
from motiongpt.published.checkpoint import read_checkpoint
from motiongpt.published.folder import DESCRIPTION, ModelFolder, write_model_folder
from motiongpt.published.importers.base import ImportedParts, Importer, ImportOptions
from motiongpt.registry import classes_in

SHOWN_KEYS = 5


def known_importers() -> dict[str, Importer]:
    """All importers by name; a new one is a new file in `importers`."""
    found = classes_in(importers, Importer)  # type: ignore[type-abstract]
    return {kind.name: kind() for kind in sorted(found.values(), key=lambda kind: kind.name)}


def import_checkpoint(
    file: Path,
    folder: Path,
    options: ImportOptions,
    force: bool = False,
    say: Callable[[str], None] = print,
    further: Mapping[str, Any] | None = None,
) -> ModelFolder:
    """Convert `file` to the model folder `folder`; whole, or not at all.

    Args:
        force: replace a model folder that is there.
        say: prints one line of progress.
        further: provenance that only the caller knows, as a licence.

    Raises:
        UserError: the folder is there already; the file is damaged or of no known project; or a
            weight is missing, left over or of another shape. Says what was expected and found.
    """
    if (folder / DESCRIPTION).exists() and not force:
        raise UserError(
            f"{folder}: is there already ({_origin(folder)}); import with --force to replace it, "
            "or name another folder"
        )
    say(f"reads {file} ({file.stat().st_size:,} bytes)" if file.is_file() else f"reads {file}")
    content = read_checkpoint(file)
    importer = recognised(file, content)
    try:
        parts = importer.parts(content, options)
    except UserError as error:
        raise UserError(f"{file}: {error}") from error
    for line in parts.remarks:
        say(line)
    say("checksum of the file")
    source = {
        "checkpoint": file.name,
        "sha256": file_sha256(file),
        "importer": importer.name,
        **parts.source,
        **(further or {}),
    }
    say(f"writes {folder}")
    write_model_folder(
        folder,
        parts.tokenizer,
        parts.backbone,
        name=folder.resolve().name,
        fps=parts.fps,
        skeleton=parts.skeleton.name,
        source=source,
    )
    for line in summary(parts):
        say(line)
    return ModelFolder.open(folder)


def recognised(file: Path, content: Mapping[str, Any]) -> Importer:
    """The importer whose checkpoint this is.

    Raises:
        UserError: none; says what is known and which keys were found.
    """
    known = known_importers()
    for importer in known.values():
        if importer.recognises(content):
            return importer
    expected = " or ".join(f"{one.holds} ({one.name})" for one in known.values())
    raise UserError(f"{file}: expected {expected}; found {_keys(content)}")


def summary(parts: ImportedParts) -> list[str]:
    """What was imported, in lines for a person."""
    tokenizer = parts.tokenizer
    lines = [
        f"motion tokenizer: {tokenizer.codebook_size} codes, {tokenizer.frames_per_token} frames a "
        f"token, {tokenizer.n_features} features ({parts.skeleton.name}, {parts.fps:g} fps), "
        f"{_parameters(tokenizer.tokenizer)} parameters"
    ]
    if parts.backbone is None:
        lines.append("language model: none in this checkpoint")
    else:
        rows = parts.backbone.token_ids.vocabulary_size
        lines.append(
            f"language model: {parts.backbone.architecture}, {rows:,} tokens of which "
            f"{len(parts.backbone.vocabulary)} for motion, {_parameters(parts.backbone)} parameters"
        )
    if parts.ignored:
        groups = sorted({name.partition(".")[0] for name in parts.ignored})
        lines.append(f"not imported: {len(parts.ignored)} entries of {', '.join(groups)}")
    return lines


def _parameters(module: Any) -> str:
    return f"{sum(parameter.numel() for parameter in module.parameters()):,}"


def _keys(content: Mapping[str, Any]) -> str:
    """The first names of a checkpoint, two levels deep."""
    found = []
    for name, value in content.items():
        inner = f" with {', '.join(map(str, list(value)[:2]))} …" if _is_filled(value) else ""
        found.append(f"{name}{inner}")
    more = f" and {len(found) - SHOWN_KEYS} more" if len(found) > SHOWN_KEYS else ""
    return (", ".join(found[:SHOWN_KEYS]) or "nothing") + more


def _is_filled(value: Any) -> bool:
    return isinstance(value, Mapping) and bool(value)


def _origin(folder: Path) -> str:
    source = ModelFolder.open(folder).source
    return f"of {source['checkpoint']}" if "checkpoint" in source else "a model folder"
