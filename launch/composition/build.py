"""Objects of nodes of a composed configuration."""

from typing import Any

from hydra.utils import instantiate
from omegaconf import OmegaConf

from launch.composition.checks import check_calls
from launch.composition.declarations import stripped


def build(node: Any, where: str = "", **given: Any) -> Any:
    """What `node` (of a configuration, or plain containers) stands for, as Hydra instantiates it.

    Constructors never see what the node declares for signatures.

    Args:
        where: dotted path of the node, for messages.
        given: arguments besides the node's, and Hydra's own such as `_recursive_`.

    Raises:
        UserError: an option that the class does not have, or a value of a wrong type.
        InstantiationException: whatever else the class raises; it is the cause.
    """
    objects = {"allow_objects": True}
    config = node if OmegaConf.is_config(node) else OmegaConf.create(node, flags=objects)
    plain = stripped(OmegaConf.to_container(config, resolve=True))
    check_calls(plain, where)
    return instantiate(OmegaConf.create(plain, flags=objects), **given)
