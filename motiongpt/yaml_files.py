"""YAML that somebody else may have written: read without running, or being flooded by, anything."""

from pathlib import Path
from typing import Any

import yaml

from motiongpt.errors import UserError
from motiongpt.reading import read_text

# A mapping or a study is a page or two; ten lines of aliases can stand for 10^9 values.
LARGEST_BYTES, MOST_VALUES = 1_000_000, 100_000
# What PyYAML raises for text that is none, and for dates, numbers and tags of wrong words.
UNREADABLE = (yaml.YAMLError, ValueError, LookupError, AttributeError, TypeError)


def read_yaml(path: Path, loader: type = yaml.SafeLoader) -> Any:
    """Content of a YAML file, made of plain containers and scalars.

    Args:
        loader: one of PyYAML's safe loaders, `yaml.SafeLoader` or `yaml.BaseLoader`.

    Raises:
        UserError: no such file, or one that is not YAML, has tags of its own, is larger than
            `LARGEST_BYTES` or stands for more than `MOST_VALUES` values.
    """
    try:
        text = read_text(path, "utf-8-sig", LARGEST_BYTES)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not YAML: {error}") from error
    return parse_yaml(text, str(path), loader)


def parse_yaml(text: str, where: str, loader: type = yaml.SafeLoader) -> Any:
    """As `read_yaml`, of text.

    Args:
        where: it comes from, for the message.

    Raises:
        UserError: as `read_yaml`.
    """
    try:
        refuse_flood(text, where)
        return yaml.load(text, Loader=loader)
    except UNREADABLE as error:
        raise UserError(f"{where}: not YAML: {' '.join(str(error).split())}") from error
    except RecursionError as error:
        raise UserError(f"{where}: nested too deep") from error


def refuse_flood(text: str, where: str) -> None:
    """Refuse text whose aliases multiply, before anything is made of it.

    Args:
        where: it comes from, for the message.

    Raises:
        UserError: it stands for more than `MOST_VALUES` values, or contains itself.
        yaml.YAMLError: not YAML.
        RecursionError: nested too deep.
    """
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if root is not None and _values(root, {}, where) > MOST_VALUES:
        raise UserError(f"{where}: its aliases stand for more than {MOST_VALUES} values")


def _values(node: yaml.Node, counted: dict[int, int | None], where: str) -> int:
    """Values that a node stands for where each alias is written out."""
    if id(node) not in counted:
        counted[id(node)] = None
        members = node.value if isinstance(node, yaml.CollectionNode) else ()
        inner = (
            one for member in members for one in (member if isinstance(member, tuple) else [member])
        )
        counted[id(node)] = 1 + sum(_values(one, counted, where) for one in inner)
    found = counted[id(node)]
    if found is None:
        raise UserError(f"{where}: an alias in it stands for what contains it")
    return found
