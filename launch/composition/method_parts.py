"""Whether the parts of an experiment belong to its method: its groups, and its codec."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import yaml
from omegaconf import DictConfig, OmegaConf

from launch.composition.overrides import CONF, choices
from motiongpt.errors import UserError

METHOD, CODEC = "method", "codec"


def check_method(config: DictConfig) -> None:
    """Refuse groups that the method does not have, and the codec of another method.

    Added by `+group=choice`, a group of another method would be read by nobody; a method that is
    one codec's (`method.codec_class` in its yaml) would bear a false name with another.

    Raises:
        UserError: names the group or the codec, and the valid choices.
    """
    chosen = OmegaConf.to_container(config.choices)
    assert isinstance(chosen, dict)
    method = str(chosen.get(METHOD))
    if method not in choices(METHOD):
        return  # of a folder of the user's own, whose groups are not known
    for group in map(str, chosen):
        if said := without_group(group, method):
            raise UserError(said)
    expected = OmegaConf.select(config, f"{METHOD}.codec_class")
    found = OmegaConf.select(config, f"{CODEC}._target_")
    if expected is not None and found != expected:
        own = ", ".join(name for name in choices(CODEC) if _target(name) == expected)
        raise UserError(
            f"codec={chosen.get(CODEC)}: method {method} is judged as itself, with a codec of its "
            f"own; choose one of: {own}"
        )


@lru_cache
def methods_with(group: str) -> tuple[str, ...]:
    """Methods that bring a group of their own, as backbone is MotionGPT's."""
    return tuple(
        name
        for name in choices(METHOD)
        if f"/{group}:" in (CONF / METHOD / f"{name}.yaml").read_text(encoding="utf-8")
    )


def without_group(group: str, method: str | None) -> str | None:
    """What to say of a group that other methods have and `method` has not; None where it has.

    Args:
        method: None for one that the overrides don't name, of which it is known not to have it.
    """
    having = methods_with(group)
    if not having or method in having:
        return None
    return (
        f"method {method or 'of this experiment'} has no {group}; leave {group}= out, or choose "
        f"method={','.join(having)}"
    )


def _target(codec: str) -> str | None:
    """The class of a codec's yaml, or of the one that it begins with."""
    return next(_targets(CONF / CODEC / f"{codec}.yaml"), None)


def _targets(file: Path) -> Iterator[str]:
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    if "_target_" in content:
        yield str(content["_target_"])
    for other in content.get("defaults", ()):
        if isinstance(other, str) and other != "_self_":
            yield from _targets(file.with_name(f"{other}.yaml"))
