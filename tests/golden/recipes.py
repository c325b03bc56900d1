"""What conf/ says of one choice, as Hydra composes it: a yaml together with all that it builds on."""

from functools import cache
from typing import Any

from hydra import compose, initialize_config_dir
from omegaconf import DictConfig, OmegaConf

from launch.composition.overrides import CONF


def configured(group: str, name: str) -> DictConfig:
    """conf/<group>/<name>.yaml with what it builds on, references not followed."""
    return OmegaConf.create(_composed(group, name))


@cache
def _composed(group: str, name: str) -> Any:
    with initialize_config_dir(config_dir=str(CONF), version_base="1.3"):
        return OmegaConf.to_container(compose(f"{group}/{name}"))[group]
