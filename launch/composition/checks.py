"""Values and names of options, checked before anything is made of them."""

import inspect
import pydoc
import types
import typing
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, ListConfig

from motiongpt.errors import UserError

ANY_NAME = "**"
# Names of a call that are Hydra's, or given by what builds the object.
HYDRAS = ("_target_", "_partial_", "_recursive_", "_convert_", "_args_")
NEEDED = (
    *("paths.root", "data.name", "data.source", "data.store", "goal", "seed", "evaluation_seed"),
    *("stage", "launcher", "trainer.hardware"),
)


def check_value(line: str, value: Any, default: Any) -> None:
    """Refuse a value of another kind than the one that it replaces.

    Words take anything, as a `goal` may be a list; null takes any kind, and anything takes null
    (`check_calls` knows more) or a reference.

    Args:
        line: the override, for the message.
        value: that it sets, as Hydra parsed it.
        default: that it replaces, references followed.

    Raises:
        UserError: say, a word where a number belongs.
    """
    wanted = _kind(default)
    if value is None or wanted is None or (isinstance(value, str) and "${" in value):
        return
    if _kind(value) != wanted:
        shown = f", as {default}" if isinstance(default, bool | int | float) else ""
        raise UserError(f"{line}: {wanted} is needed{shown}")


def _kind(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, list | ListConfig):
        return "a list, [in,brackets],"
    if isinstance(value, dict | DictConfig):
        return "a set of options, {key: value},"
    return None


def check_calls(node: Any, where: str) -> None:
    """Refuse what the classes and functions that `node` names do not take, at any depth.

    Args:
        node: part of a configuration in plain containers.
        where: dotted path of it, for the message.

    Raises:
        UserError: a class that is not there, an option that it does not have, or a value that its
            type hints exclude.
    """
    if isinstance(node, list):
        for index, one in enumerate(node):
            check_calls(one, _below(where, str(index)))
    if not isinstance(node, Mapping):
        return
    target = node.get("_target_")
    if target is not None:
        _check_call(node, _parameters(str(target), where), where)
    for key, one in node.items():
        check_calls(one, _below(where, str(key)))


def _check_call(node: Mapping[str, Any], takes: Mapping[str, Any] | None, where: str) -> None:
    for key, value in node.items():
        if key in HYDRAS or takes is None:
            continue
        if key not in takes:
            if ANY_NAME in takes:
                continue
            valid = ", ".join(name for name in takes) or "none"
            raise UserError(
                f"{_below(where, key)}: no such option; {node['_target_']} takes {valid}"
            )
        if not _fits(value, takes[key]):
            raise UserError(
                f"{_below(where, key)}={'null' if value is None else value}: "
                f"{_said(takes[key])} is needed"
            )


def _below(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


@cache
def _parameters(target: str, where: str) -> dict[str, Any] | None:
    """Parameter -> its type hint, `ANY_NAME` for further ones; None where nobody can tell."""
    try:
        called: Any = pydoc.locate(target)
    except pydoc.ErrorDuringImport as error:
        raise UserError(
            f"{_below(where, '_target_')}={target}: can't be imported: {error}"
        ) from error
    if called is None:
        raise UserError(f"{_below(where, '_target_')}={target}: there is no such class or function")
    try:
        return _of_class(called) if inspect.isclass(called) else _of_function(called)
    except (TypeError, ValueError, NameError):  # written in C, or hints of a type checker only
        return None


def _of_class(called: type) -> dict[str, Any]:
    """Parameters of a class, and of those above it to which it hands further ones on."""
    found: dict[str, Any] = {}
    for level in called.__mro__:
        if "__init__" not in vars(level) or level is object:
            continue
        found.pop(ANY_NAME, None)
        found = {**_of_function(vars(level)["__init__"]), **found}
        if ANY_NAME not in found:
            break
    found.pop("self", None)
    return found


def _of_function(called: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(called)
    return {
        ANY_NAME if one.kind is inspect.Parameter.VAR_KEYWORD else one.name: hints.get(
            one.name, Any
        )
        for one in inspect.signature(called).parameters.values()
    }


def _fits(value: Any, hint: Any) -> bool:
    """Whether a plain value may be of a type; True of types that no yaml can write."""
    if isinstance(value, Mapping) and "_target_" in value:
        return True
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, one) for one in inner)
    if origin is typing.Literal:
        return value in inner
    if hint in (None, type(None)):
        return value is None
    if hint is DictConfig:
        return isinstance(value, Mapping)
    if hint in PLAIN:
        return isinstance(value, PLAIN[hint]) and (hint is bool or not isinstance(value, bool))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        members = value.values() if isinstance(value, Mapping) else ()
        return isinstance(value, Mapping) and all(_fits(one, inner[-1]) for one in members)
    if isinstance(origin, type) and issubclass(origin, Sequence) and origin is not tuple:
        return isinstance(value, list) and all(_fits(one, inner[0]) for one in value)
    return True


# A name may read as a number: group=2024.
PLAIN: dict[Any, tuple[type, ...]] = {
    bool: (bool,),
    int: (int,),
    float: (int, float),
    str: (str, int, float),
    Path: (str,),
}


def _said(hint: Any) -> str:
    """A type hint in words."""
    inner = typing.get_args(hint)
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return " or ".join(map(_said, inner))
    if typing.get_origin(hint) is typing.Literal:
        return "one of " + ", ".join(map(str, inner))
    words = {bool: "true or false", int: "a whole number", float: "a number", str: "a word"}
    return words.get(hint) or ("null" if hint in (None, type(None)) else "a list or mapping")
