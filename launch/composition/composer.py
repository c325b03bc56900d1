"""Configurations of many points: what points have in common is done once.

Files are read once, a combination of groups' choices is merged once, and a point only sets its
own values in a copy. The result is that of `launch.composition.compose.compose_config`, to which
all that is out of the ordinary is left, errors too.
"""

import contextlib
import pickle
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hydra import initialize_config_dir
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_repository import CachingConfigRepository
from hydra.core.default_element import ResultDefault
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf, open_dict

from launch.composition import compose
from launch.composition.defaults_lists import DefaultsLists
from launch.composition.references import Unusual, followed
from launch.plans.graph import plain_containers


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
    """Composes the points of one sweep; does not see files of `conf/` that change meanwhile."""

    def __init__(self) -> None:
        GlobalHydra.instance().clear()
        with initialize_config_dir(config_dir=str(compose.CONF), version_base="1.3"):
            loader = GlobalHydra.instance().config_loader()
        assert isinstance(loader, ConfigLoaderImpl)
        self._loader = loader
        self._repository = CachingConfigRepository(loader.repository)
        self._lists = DefaultsLists(self._repository, compose.ROOT_CONFIG)
        self._parsed: dict[str, Override] = {}
        self._files: dict[tuple[str, str], bytes] = {}
        self._merged: dict[tuple[str, ...], bytes] = {}

    def compose(self, overrides: Sequence[str]) -> Composed:
        """The configuration of one point.

        Raises:
            UserError: as `compose_config` does.
        """
        parsed = [self._parse(word) for word in overrides]
        if not any(one.is_hydra_override() or one.is_sweep_override() for one in parsed):
            with contextlib.suppress(*compose.COMPOSITION_ERRORS, Unusual, RecursionError):
                return self._compose(parsed)
        config = compose.compose_config(overrides)
        return Composed(config, plain_containers(config))

    def _parse(self, word: str) -> Override:
        if word not in self._parsed:
            (given,) = compose.parse_overrides([word])
            (self._parsed[word],) = compose.parse_overrides([compose.for_hydra(given)])
        return self._parsed[word]

    def _compose(self, overrides: Sequence[Override]) -> Composed:
        groups = [one for one in overrides if self._is_choice(one)]
        values = [one for one in overrides if not self._is_choice(one)]
        found = self._lists.find(groups)
        config = self._merge(groups, found.files)
        self._loader._apply_overrides_to_config(values, config)
        with open_dict(config):
            config.choices = compose.group_choices(found.choices)
        plain = followed(config)
        OmegaConf.set_readonly(config, True)
        return Composed(config, plain)

    def _is_choice(self, override: Override) -> bool:
        """Whether it says which files are merged; Hydra tells so by the folder."""
        if isinstance(override.value(), dict):
            return False
        return self._repository.group_exists(override.key_or_group)

    def _merge(self, groups: Sequence[Override], files: Sequence[ResultDefault]) -> DictConfig:
        """The files of a combination of choices, merged; a copy."""
        key = tuple(str(one.input_line) for one in groups)
        if key not in self._merged:
            config = OmegaConf.unsafe_merge(OmegaConf.create(), *map(self._file, files))
            assert isinstance(config, DictConfig)
            config.pop("hydra", None)  # what a file says to Hydra itself
            OmegaConf.set_struct(config, True)
            self._merged[key] = pickle.dumps(config)
        found: DictConfig = pickle.loads(self._merged[key])
        return found

    def _file(self, default: ResultDefault) -> DictConfig:
        """A file's content at its place in the configuration; a copy."""
        key = (str(default.config_path), str(default.package))
        if key not in self._files:
            loaded = self._loader._load_single_config(default, self._repository)
            self._files[key] = pickle.dumps(loaded.config)
        found: DictConfig = pickle.loads(self._files[key])
        return found
