"""From overrides to configs: Hydra's composition, with errors that fit on one line."""

import difflib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob, Override, Sweep
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

import launch
from launch.plans.declarations import RESERVED, reserved_in
from motiongpt.errors import UserError

CONF = Path(launch.__file__).resolve().parents[1] / "conf"
ROOT_CONFIG = "config"
METHOD = "method"
SWEEPERS = "optuna and submitit come with this project's extra, as in pip install -e '.[sweepers]'"
# Hydra's are ValueErrors where a group's choice is no name: data=null.
COMPOSITION_ERRORS = (HydraException, OmegaConfBaseException, ValueError)


def compose_config(overrides: Sequence[str] = ()) -> DictConfig:
    """The whole configuration of one experiment, references followed, read-only.

    `launch.composition.composer` does the same for many experiments at once.

    Raises:
        UserError: an option, a group or a value that does not exist; names the valid ones.
    """
    GlobalHydra.instance().clear()
    parsed = [for_hydra(override) for override in parse_overrides(overrides)]
    try:
        with initialize_config_dir(config_dir=str(CONF), version_base="1.3"):
            config = compose(ROOT_CONFIG, overrides=parsed, return_hydra_config=True)
        with open_dict(config):
            runtime = config.pop("hydra").runtime
        complete(config, runtime.choices)
    except COMPOSITION_ERRORS as error:
        raise UserError(one_line(str(error), overrides)) from error
    return config


def complete(config: DictConfig, runtime: Mapping[Any, Any]) -> None:
    """Fill in the groups' choices, follow all references, forbid changes.

    Args:
        runtime: Hydra's record of all choices.
    """
    with open_dict(config):
        config.choices = group_choices(runtime)
    OmegaConf.resolve(config)
    OmegaConf.set_readonly(config, True)


def expand(overrides: Sequence[str]) -> list[list[str]]:
    """The points of a sweep: every combination of the overrides that list several values.

    Raises:
        UserError: a word that is no override, or whose values can't be listed.
    """
    points: list[list[str]] = [[]]
    for override in parse_overrides(overrides):
        if override.is_sweep_override():
            key = override.get_key_element()
            values = [f"{key}={value}" for value in listed_values(override)]
        else:
            values = [str(override.input_line)]
        points = [[*point, value] for point in points for value in values]
    return points


def listed_values(override: Override) -> list[str]:
    """The values of an override that has several, as they are written.

    Raises:
        UserError: an interval, or a pattern that fits no choice.
    """
    line, value = override.input_line, override.value()
    if override.is_interval_sweep():
        raise UserError(
            f"{line}: an interval has no end of values; write choice(…) or range(…), or let "
            "hydra/sweeper=optuna draw from it"
        )
    if not isinstance(value, Glob):
        return list(override.sweep_string_iterator())
    valid = choices(override.key_or_group)
    if not value.filter(valid):
        raise UserError(f"{line}: fits no choice; valid: {', '.join(valid) or 'none'}")
    return value.filter(valid)


def parse_overrides(overrides: Sequence[str]) -> list[Override]:
    """Parse `key=value` words.

    Raises:
        UserError: a word that is no override, or one that changes what is signed.
    """
    try:
        parsed = list(OverridesParser.create().parse_overrides(list(overrides)))
    except HydraException as error:
        raise UserError(
            f"{' '.join(str(error).split())}: an override is written key=value, as in "
            "downsampling=4"
        ) from error
    for override in parsed:
        if word := reserved_in(override.key_or_group, override.value()):
            raise UserError(
                f"{override.input_line}: {word} says what a signature leaves out; only a yaml of "
                "conf/ may say so"
            )
    return parsed


def choices(group: str) -> list[str]:
    """Names that `group=` takes, or an empty list where there is no such group."""
    folder = CONF / group
    files = folder.glob("[!_]*.yaml")  # the others are parts of choices
    return sorted(file.stem for file in files) if folder.is_dir() else []


def group_choices(runtime: Mapping[Any, Any]) -> dict[str, str]:
    """Group -> choice of this project's own groups, for results to say what they are of."""
    return {
        str(group): str(choice)
        for group, choice in runtime.items()
        if choice is not None and "/" not in str(group) and "@" not in str(group)
    }


def for_hydra(override: Override) -> str:
    """The override as Hydra takes it, who wants a group's choice to be a string: 4 is a number.

    Raises:
        UserError: a choice that is no name, as data=null.
    """
    line, group = str(override.input_line), override.key_or_group.split("@")[0]
    value = override.value()
    if isinstance(value, str | list | dict | Sweep) or override.is_delete():
        return line
    valid = choices(group)
    if not valid:
        return line
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{override.get_key_element()}='{value}'"
    raise UserError(f"{line}: no such choice; valid: {', '.join(valid)}")


def one_line(message: str, overrides: Sequence[str]) -> str:
    """What Hydra or OmegaConf said of `overrides`, shorter, with the names that are valid."""
    choice = re.search(
        r"(?:Could not find|In '[^']*': Could not find|Could not load) '([^']+)'", message
    )
    if choice and "/" in choice[1]:
        group, _, name = choice[1].rpartition("/")
        if valid := choices(group):
            return f"{group}={name}: no such choice; valid: {', '.join(valid)}"
        if group.startswith("hydra/"):
            installed = ", ".join(re.findall(r"^\t(\w+)$", message, re.MULTILINE))
            return f"{group}={name}: no such choice; installed: {installed}; {SWEEPERS}"
    key = re.search(r"Key '([^']+)' is not in struct", message)
    if key:
        full = re.search(r"full_key: (\S+)", message)
        return _unknown_key(full[1] if full else key[1], overrides)
    missing = re.search(r"Could not override '([^']+)'", message)
    if missing:
        group, at, package = missing[1].partition("@")
        if at:
            near = re.search(r"override one of ([^?]+)\?", message)
            named = near[1] if near else group
            return f"{missing[1]}: no {group} is chosen in {package}; valid: {named}"
        return _without_group(group, overrides) or _unknown_key(group, overrides)
    return f"{' '.join(message.split())} (overrides: {' '.join(overrides) or 'none'})"


def _choices_of(overrides: Sequence[str]) -> list[str]:
    """The overrides that choose groups."""
    parsed = [one for one in parse_overrides(overrides) if choices(one.key_or_group)]
    return [str(one.input_line) for one in parsed]


def methods_with(group: str) -> list[str]:
    """Methods that bring a group of their own, as backbone is MotionGPT's."""
    return [
        name
        for name in choices(METHOD)
        if f"/{group}:" in (CONF / METHOD / f"{name}.yaml").read_text()
    ]


def _without_group(group: str, overrides: Sequence[str]) -> str | None:
    """What to say of a group that there is, but not for the chosen method."""
    having = methods_with(group)
    if not having:
        return None
    method = next(
        (
            str(one.value())
            for one in parse_overrides(overrides)
            if one.key_or_group == METHOD and not one.is_sweep_override()
        ),
        "of this experiment",
    )
    return (
        f"method {method} has no {group}; leave {group}= out, or choose method={','.join(having)}"
    )


def _unknown_key(key: str, overrides: Sequence[str]) -> str:
    """What to say of an option that there is not, among those that the chosen groups have."""
    if key.startswith("hydra."):
        return f"{key}: Hydra has no such option; +{key}=… adds one"
    parent, _, name = key.rpartition(".")
    config = compose_config(_choices_of(overrides))
    group = key.partition(".")[0]
    if group not in config and (said := _without_group(group, overrides)):
        return said
    node = OmegaConf.select(config, parent) if parent else config
    while node is None and parent:
        parent, _, name = parent.rpartition(".")
        node = OmegaConf.select(config, parent) if parent else config
    words = list(map(str, node)) if isinstance(node, DictConfig) else []
    valid = sorted(word for word in words if word not in RESERVED)
    near = difflib.get_close_matches(name, valid, n=1)
    if not valid:
        return f"{key}: no such option; {parent} is empty, and +{key}=… adds to it"
    if name in valid:
        return f"{key}: there is such an option, with other keys; +{key}.KEY=… adds to it"
    hint = f"did you mean {near[0]}? " if near else ""
    return f"{key}: no such option; {hint}valid in {parent or 'the root'}: {', '.join(valid)}"
