"""From overrides to configs: Hydra's composition, with errors that fit on one line."""

import contextlib
import copy
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from launch.composition import overrides as words
from launch.composition.checks import NEEDED, check_value
from launch.composition.messages import one_line
from launch.composition.method_parts import check_method
from motiongpt.errors import UserError
from motiongpt.yaml_files import refuse_flood

ROOT_CONFIG = "config"
# Hydra's are ValueErrors where a group's choice is no name: data=null.
COMPOSITION_ERRORS = (HydraException, OmegaConfBaseException, ValueError, yaml.YAMLError)
SEEDS = 2**32  # what numpy and torch take
LARGEST_CONFIG = 200_000  # bytes of a yaml that may be composed; larger files are of something else


@dataclass(frozen=True)
class Composed:
    """The configuration of one point.

    Attributes:
        config: read-only; its references are followed when they are read.
        plain: the same in plain containers, references followed.
    """

    config: DictConfig
    plain: dict[str, Any]


class Composer:
    """Composes points: Hydra a combination of groups' choices once, values are set in copies.

    The result is that of `compose_by_hydra`, to which all that is out of the ordinary is left,
    errors too. Does not see files of `conf/` that change meanwhile.
    """

    def __init__(self) -> None:
        self._parsed: dict[str, Override] = {}
        self._composed: dict[tuple[str, ...], DictConfig] = {}

    def compose(self, overrides: Sequence[str]) -> Composed:
        """The configuration of one point.

        Raises:
            UserError: an option, a group or a value that does not exist, with the valid ones.
        """
        with contextlib.suppress(*COMPOSITION_ERRORS, RecursionError):
            config = self._compose(overrides)
            return Composed(config, plain_containers(config))
        config = compose_by_hydra(overrides)
        return Composed(config, plain_containers(config))

    def combination(self, overrides: Sequence[str]) -> tuple[str, ...]:
        """What Hydra is to compose for a point; points that share it differ in values only.

        Raises:
            UserError: a word that is no override.
        """
        return _split(self._parse(overrides))[0]

    def _compose(self, overrides: Sequence[str]) -> DictConfig:
        combination, values = _split(self._parse(overrides))
        if combination not in self._composed:
            self._composed[combination] = _choices_composed(combination)
        config = copy.deepcopy(self._composed[combination])
        for one in values:
            check_value(
                str(one.input_line), one.value(), OmegaConf.select(config, one.key_or_group)
            )
            OmegaConf.update(config, one.key_or_group, one.value(), merge=True)
        _check_needed(config)
        OmegaConf.set_readonly(config, True)
        return config

    def _parse(self, overrides: Sequence[str]) -> list[Override]:
        fresh = [word for word in overrides if word not in self._parsed]
        self._parsed.update(zip(fresh, words.parse_overrides(fresh), strict=True))
        given = [self._parsed[word] for word in overrides]
        words.one_value_each(given)
        return given


def compose_config(overrides: Sequence[str] = ()) -> DictConfig:
    """The whole configuration of one experiment, references followed, read-only.

    `launch.composition.points` does the same for many experiments at once.

    Raises:
        UserError: an option, a group or a value that does not exist, with the valid ones.
    """
    config = Composer().compose(overrides).config
    with open_dict(config):
        OmegaConf.set_readonly(config, False)
        OmegaConf.resolve(config)
        OmegaConf.set_readonly(config, True)
    return config


def compose_by_hydra(overrides: Sequence[str] = ()) -> DictConfig:
    """The configuration of one experiment as Hydra composes it, all words at once.

    Raises:
        UserError: as `compose_config` does.
    """
    given = words.parse_overrides(overrides)
    words.one_value_each(given)
    try:
        folders = words.config_folders(given)
        config = _composed([words.for_hydra(one, folders) for one in given])
        _check_needed(config)
        OmegaConf.resolve(config)
    except (*COMPOSITION_ERRORS, RecursionError) as error:
        if (group := _deleted_behind(str(error), given)) is not None:
            raise UserError(
                f"~{group}: the rest of the experiment refers to {group}; leave it, or choose "
                f"another by {group}=NAME"
            ) from error
        raise UserError(one_line(str(error), overrides, compose_by_hydra)) from error
    OmegaConf.set_readonly(config, True)
    return config


def _deleted_behind(message: str, given: Sequence[Override]) -> str | None:
    """The deleted group or option that a reference of Hydra's or OmegaConf's message leads to."""
    reference = re.search(r"nterpolation (?:key )?'([^']+)'", message)
    named = re.findall(r"\w+", reference[1]) if reference else []
    deleted = (one.key_or_group for one in given if one.is_delete())
    return next((key for key in deleted if key in named), None)


def complete(config: DictConfig, runtime: Mapping[Any, Any]) -> None:
    """Fill in the groups' choices.

    Args:
        runtime: Hydra's record of all choices.
    """
    with open_dict(config):
        config.choices = group_choices(runtime)


def group_choices(runtime: Mapping[Any, Any]) -> dict[str, str]:
    """Group -> choice of this project's own groups, for results to say what they are of."""
    return {
        str(group): str(choice)
        for group, choice in runtime.items()
        if choice is not None and "/" not in str(group) and "@" not in str(group)
    }


def plain_containers(config: DictConfig) -> dict[str, Any]:
    """`config` in dictionaries and lists of its own, references followed."""
    found = OmegaConf.to_container(config, resolve=True)
    assert isinstance(found, dict)
    return {str(key): value for key, value in found.items()}


def _composed(overrides: Sequence[str]) -> DictConfig:
    """What Hydra composes, with the choices filled in; references are left."""
    GlobalHydra.instance().clear()
    with initialize_config_dir(config_dir=str(words.CONF), version_base="1.3"):
        config = compose(ROOT_CONFIG, overrides=list(overrides), return_hydra_config=True)
    with open_dict(config):
        complete(config, config.pop("hydra").runtime.choices)
    return config


def _choices_composed(combination: Sequence[str]) -> DictConfig:
    given = words.parse_overrides(combination)
    folders = words.config_folders(given)
    for file in (file for folder in folders[1:] for file in folder.rglob("*.yaml")):
        if file.stat().st_size <= LARGEST_CONFIG:
            with contextlib.suppress(yaml.YAMLError, UnicodeDecodeError):  # perhaps not of Hydra
                refuse_flood(file.read_text(encoding="utf-8"), str(file))
    return _composed([words.for_hydra(one, folders) for one in given])


def _check_needed(config: DictConfig) -> None:
    """Refuse an experiment without what every experiment has, or with what its method has not.

    Raises:
        UserError: names it; or the root is one that can't be written into a configuration.
    """
    for key in NEEDED:
        if OmegaConf.select(config, key) is None:
            raise UserError(f"{key}: every experiment needs it; it can't be deleted, or null")
    words.refuse_reference(str(config.paths.root), "paths.root")
    for key in ("seed", "evaluation_seed"):
        seed = config[key]
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < SEEDS:
            raise UserError(f"{key}={seed}: a whole number from 0 to {SEEDS - 1} is needed")
    check_method(config)


def _split(given: Sequence[Override]) -> tuple[tuple[str, ...], list[Override]]:
    """The overrides that Hydra is given, and those that only set a value afterwards.

    All are Hydra's where what it adds or deletes may have to do with a value: order matters.
    """
    values = [one for one in given if _only_sets_a_value(one)]
    others = [one for one in given if not _only_sets_a_value(one)]
    keys = [one.key_or_group for one in others if not words.is_choice(one)]
    if any(_related(one.key_or_group, key) for one in values for key in keys):
        values, others = [], list(given)
    return tuple(str(one.input_line) for one in others), values


def _only_sets_a_value(override: Override) -> bool:
    special = (
        override.is_add()
        or override.is_force_add()
        or override.is_delete()
        or override.is_hydra_override()
        or override.package
        or override.key_or_group.partition(".")[0] == "choices"  # which Hydra's record replaces
    )
    return not special and not words.is_choice(override)


def _related(key: str, other: str) -> bool:
    """Whether one of two dotted keys is the other, or lies below it."""
    one, two = f"{key}.", f"{other}."
    return one.startswith(two) or two.startswith(one)
