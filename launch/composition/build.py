"""Objects of nodes of a composed configuration."""

from typing import Any

from hydra.utils import instantiate
from omegaconf import OmegaConf

from launch.plans.declarations import stripped


def build(node: Any, **given: Any) -> Any:
    """What `node` (of a configuration, or plain containers) stands for, as Hydra instantiates it.

    Constructors never see what the node declares for signatures.

    Args:
        given: arguments besides the node's, and Hydra's own such as `_recursive_`.
    """
    plain = OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node
    objects = {"allow_objects": True}
    return instantiate(OmegaConf.create(stripped(plain), flags=objects), **given)
