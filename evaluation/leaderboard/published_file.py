"""`published.yaml` of a study: read, and checked key by key."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import yaml

from evaluation.leaderboard.published import (
    METHOD,
    Column,
    PublishedProtocol,
    PublishedRow,
    PublishedTable,
)
from evaluation.leaderboard.quantity import printed_quantity
from evaluation.replications.results import REAL
from motiongpt.errors import UserError
from motiongpt.yaml_files import read_yaml

PUBLISHED = "published.yaml"


def find_tables(experiments: Path, names: Sequence[str] = ()) -> list[PublishedTable]:
    """The published tables below `experiments`, in the order of `names` or alphabetical.

    Raises:
        UserError: a table that does not exist, or a broken file.
    """
    files = {file.parent.name: file for file in sorted(Path(experiments).glob(f"*/{PUBLISHED}"))}
    if unknown := [name for name in names if name not in files]:
        raise UserError(f"{unknown[0]}: no such table; valid: {', '.join(files)}")
    return [read_published(files[name]) for name in names or files]


def read_published(path: Path) -> PublishedTable:
    """Read one file.

    Raises:
        UserError: not YAML, or a key that is missing, unknown or of the wrong kind; names both.
    """
    # BaseLoader keeps numbers as printed: the digits of 0.160 say how far it was rounded.
    found = read_yaml(path, yaml.BaseLoader)
    found = _checked(
        found,
        path,
        "the whole file",
        ("title", "columns", "rows", "sources", "protocol"),
        ("note", "where", "axis", "axis_title", "at_least", "facts", "independent"),
    )
    protocol = _protocol(PublishedProtocol(), found["protocol"], path, "protocol")
    columns = [_column(column, path, i) for i, column in enumerate(found["columns"])]
    keys = [column.key for column in columns]
    rows = [
        _row(row, protocol, keys, found["sources"], path, f"{block}[{i}]")
        for block in ("rows", "independent")
        for i, row in enumerate(found.get(block, []))
    ]
    return PublishedTable(
        name=Path(path).parent.name,
        title=found["title"],
        columns=columns,
        rows=rows,
        sources=found["sources"],
        protocol=protocol,
        note=found.get("note", ""),
        where=_values(found.get("where", {})),
        axis=found.get("axis", ""),
        axis_title=found.get("axis_title", found.get("axis", "")),
        at_least=_count(found.get("at_least", "1"), f"{path}: at_least"),
        facts=found.get("facts", []),
    )


def _checked(
    found: Any, path: Path, where: str, needed: Sequence[str], may: Sequence[str]
) -> dict[str, Any]:
    if not isinstance(found, Mapping):
        raise UserError(f"{path}: {where}: keys with values are needed, not {found!r}")
    if missing := [key for key in needed if key not in found]:
        raise UserError(f"{path}: {where}: {missing[0]} is missing")
    if unknown := [key for key in found if key not in (*needed, *may)]:
        valid = ", ".join((*needed, *may))
        raise UserError(f"{path}: {where}: {unknown[0]}: no such key; valid: {valid}")
    return dict(found)


def _column(found: Any, path: Path, index: int) -> Column:
    where = f"columns[{index}]"
    needed = ("key", "task", "metric", "title", "better")
    found = _checked(found, path, where, needed, ("unit", "group", "real"))
    if found["better"] not in ("lower", "higher", REAL):
        raise UserError(f"{path}: {where}.better: {found['better']}: lower, higher or real")
    if "real" in found:
        found["real"] = printed_quantity(found["real"], f"{path}: {where}.real")
    return Column(**found)


def _protocol(base: PublishedProtocol, found: Any, path: Path, where: str) -> PublishedProtocol:
    valid = [field.name for field in fields(PublishedProtocol)]
    found = _checked(found, path, where, (), valid)
    if "names" in found:
        found["names"] = tuple(found["names"])
    for key in ("clips", "replications"):
        if key in found:
            found[key] = _count(found[key], f"{path}: {where}.{key}")
    return replace(base, **found)


def _row(
    found: Any,
    protocol: PublishedProtocol,
    keys: Sequence[str],
    sources: Mapping[str, str],
    path: Path,
    where: str,
) -> PublishedRow:
    may = ("setting", "role", "match", "otherwise", "series", "by", "secondary", "note", "protocol")
    found = _checked(found, path, where, ("method", "source", "numbers"), may)
    if found["source"] not in sources:
        raise UserError(f"{path}: {where}.source: {found['source']} is not among the sources")
    if "otherwise" in found and "match" not in found:
        raise UserError(f"{path}: {where}: otherwise needs a match that names the method")
    numbers = _checked(found["numbers"], path, f"{where}.numbers", (), keys)
    return PublishedRow(
        **{
            **found,
            "numbers": {
                key: printed_quantity(value, f"{path}: {where}.numbers.{key}")
                for key, value in numbers.items()
            },
            "protocol": _protocol(protocol, found.get("protocol", {}), path, f"{where}.protocol"),
            **{
                key: _flag(found.get(key, "false"), f"{path}: {where}.{key}")
                for key in ("otherwise", "secondary")
            },
            "match": _match(found["match"], path, f"{where}.match") if "match" in found else None,
        }
    )


def _match(found: Any, path: Path, where: str) -> dict[str, list[str]]:
    # Without its method a row would judge runs of every other one.
    if not isinstance(found, Mapping) or METHOD not in found:
        raise UserError(
            f"{path}: {where}: {METHOD} is missing; name the methods that the row is of"
        )
    return _values(found)


def _count(found: str, where: str) -> int:
    try:
        return int(found)
    except (TypeError, ValueError) as error:
        raise UserError(f"{where}: {found!r} is no count") from error


def _flag(found: str, where: str) -> bool:
    if found not in ("true", "false"):
        raise UserError(f"{where}: {found!r}: true or false")
    return found == "true"


def _values(found: Mapping[str, Any]) -> dict[str, list[str]]:
    return {key: value if isinstance(value, list) else [str(value)] for key, value in found.items()}
