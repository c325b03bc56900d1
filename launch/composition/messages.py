"""What Hydra and OmegaConf say of overrides, on one line and with the names that are valid."""

import difflib
import re
from collections.abc import Callable, Sequence

from omegaconf import DictConfig, OmegaConf

from launch.composition.declarations import RESERVED
from launch.composition.method_parts import METHOD, without_group
from launch.composition.overrides import (
    SEARCHPATH,
    choices,
    config_folders,
    is_choice,
    parse_overrides,
)

SWEEPERS = "optuna and submitit come with this project's extra, as in pip install -e '.[sweepers]'"
Compose = Callable[[Sequence[str]], DictConfig]


def one_line(message: str, overrides: Sequence[str], compose: Compose) -> str:
    """What Hydra or OmegaConf said of `overrides`, shorter, with the names that are valid.

    Args:
        compose: configuration of overrides that choose groups, to list the options there are.
    """
    choice = re.search(
        r"(?:Could not find|In '[^']*': Could not find|Could not load) '([^']+)'", message
    )
    if choice and "/" in choice[1]:
        group, _, name = choice[1].rpartition("/")
        if valid := choices(group, config_folders(parse_overrides(overrides))):
            return f"{group}={name}: no such choice; valid: {', '.join(valid)}"
        if group.startswith("hydra/"):
            installed = ", ".join(re.findall(r"^\t(\w+)$", message, re.MULTILINE))
            return f"{group}={name}: no such choice; installed: {installed}; {SWEEPERS}"
    full = re.search(r"full_key: (\S+)", message)
    if (reference := re.search(r"Interpolation key '([^']+)' not found", message)) and full:
        return _shown(f"{full[1]}: refers to {reference[1]}, and there is none", overrides)
    key = re.search(r"Key '([^']+)' is not in struct", message)
    if key:
        return _unknown_key(full[1] if full else key[1], overrides, compose)
    missing = re.search(r"Could not override '([^']+)'", message)
    if missing:
        group, at, package = missing[1].partition("@")
        if at:
            near = re.search(r"override one of ([^?]+)\?", message)
            named = near[1] if near else group
            return f"{missing[1]}: no {group} is chosen in {package}; valid: {named}"
        return _without_group(group, overrides) or _unknown_key(group, overrides, compose)
    return _shown(message, overrides)


def _shown(message: str, overrides: Sequence[str]) -> str:
    return f"{' '.join(message.split())} (overrides: {' '.join(overrides) or 'none'})"


def _choices_of(overrides: Sequence[str]) -> list[str]:
    """The overrides that choose groups, or say where these are."""
    return [
        str(one.input_line)
        for one in parse_overrides(overrides)
        if is_choice(one) or one.key_or_group == SEARCHPATH
    ]


def _without_group(group: str, overrides: Sequence[str]) -> str | None:
    """What to say of a group that there is, but not for the chosen method."""
    method = next(
        (
            str(one.value())
            for one in parse_overrides(overrides)
            if one.key_or_group == METHOD and not one.is_sweep_override()
        ),
        None,
    )
    return without_group(group, method)


def _unknown_key(key: str, overrides: Sequence[str], compose: Compose) -> str:
    """What to say of an option that there is not, among those that the chosen groups have."""
    if key.startswith("hydra."):
        return f"{key}: Hydra has no such option; +{key}=… adds one"
    chosen = _choices_of(overrides)
    if len(chosen) == len(overrides):
        return _shown(f"{key}: a file sets it, and there is no such option", overrides)
    parent, _, name = key.rpartition(".")
    config = compose(chosen)
    group = key.partition(".")[0]
    if group not in config and (said := _without_group(group, overrides)):
        return said
    node = OmegaConf.select(config, parent) if parent else config
    while node is None and parent:
        parent, _, name = parent.rpartition(".")
        node = OmegaConf.select(config, parent) if parent else config
    if not isinstance(node, DictConfig):
        return f"{key}: no such option; {parent} is one value, and has none below it"
    words = list(map(str, node))
    valid = sorted(word for word in words if word not in RESERVED)
    near = difflib.get_close_matches(name, valid, n=1)
    if not valid:
        return f"{key}: no such option; {parent} is empty, and +{key}=… adds to it"
    if name in valid:
        return f"{key}: there is such an option, with other keys; +{key}.KEY=… adds to it"
    hint = f"did you mean {near[0]}? " if near else ""
    return f"{key}: no such option; {hint}valid in {parent or 'the root'}: {', '.join(valid)}"
