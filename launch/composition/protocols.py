"""The evaluation protocols as this project ships them."""

from typing import Any

from omegaconf import OmegaConf

from launch.composition.compose import compose_config
from launch.composition.overrides import choices


def shipped_protocols() -> dict[str, dict[str, Any]]:
    """Name of each choice of `conf/protocol` -> its resolved settings, plain containers."""
    found = {}
    for name in choices("protocol"):
        settings: Any = OmegaConf.to_container(compose_config([f"protocol={name}"]).protocol)
        found[name] = dict(settings)
    return found
