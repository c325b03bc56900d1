"""Words of a command that are names, and the root that the others choose."""

from collections.abc import Sequence
from pathlib import Path

from launch.composition.compose import compose_config


def split_root(words: Sequence[str]) -> tuple[Path, list[str]]:
    """The root of the runs, by overrides among `words` or the configuration, and the other words.

    Raises:
        UserError: an override that does not exist.
    """
    overrides = [word for word in words if "=" in word]
    return Path(compose_config(overrides).paths.root), [w for w in words if "=" not in w]
