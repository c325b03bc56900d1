"""A checkpoint of another project, once, into a model folder."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from motiongpt.data.download import file_sha256
from motiongpt.errors import UserError
from motiongpt.published import importers
from motiongpt.published.card import model_card
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
    log: Callable[[str], None] = print,
    further: Mapping[str, Any] | None = None,
) -> ModelFolder:
    """Convert `file` to the model folder `folder`; whole, or not at all.

    Args:
        force: replace a model folder that is there.
        log: prints one line of progress.
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
    log(f"reads {file} ({file.stat().st_size:,} bytes)" if file.is_file() else f"reads {file}")
    content = read_checkpoint(file)
    importer = recognised(file, content)
    try:
        parts = importer.parts(content, options)
    except UserError as error:
        raise UserError(f"{file}: {error}") from error
    for line in parts.remarks:
        log(line)
    log("checksum of the file")
    source = {
        "checkpoint": file.name,
        "sha256": file_sha256(file),
        "importer": importer.name,
        **parts.source,
        **(further or {}),
    }
    log(f"writes {folder}")
    described = write_model_folder(
        folder,
        parts.parts,
        method=parts.method,
        name=folder.resolve().name,
        format=parts.format,
        source=source,
        card=model_card,
    )
    for line in summary(parts):
        log(line)
    return described


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
    lines = list(parts.summary)
    if parts.ignored:
        groups = sorted({name.partition(".")[0] for name in parts.ignored})
        lines.append(f"not imported: {len(parts.ignored)} entries of {', '.join(groups)}")
    return lines


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
