"""A configuration as plain containers, its references `${a.b}` looked up.

OmegaConf parses every reference with a grammar and copies the nodes it leads to, which at 200
points is most of the time of planning. Nearly all references name one place, from the root: these
are looked up here, the others are left to OmegaConf.
"""

import re
from collections.abc import Mapping
from typing import Any

from omegaconf import MISSING, DictConfig, ListConfig, OmegaConf

REFERENCE = re.compile(r"\$\{([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\}")


class Unusual(Exception):
    """Something that only the plain way of composing is trusted with."""


def followed(config: DictConfig) -> dict[str, Any]:
    """`config` as `OmegaConf.resolve` leaves it, in plain containers that share nothing.

    Raises:
        Unusual: a reference whose meaning depends on where it stands, or that leads nowhere.
        OmegaConfBaseException: one that OmegaConf can't follow.
        RecursionError: references that lead back to themselves.
    """
    references = _References(config)
    return references.of_mapping((), references.raw)


class _References:
    def __init__(self, config: DictConfig) -> None:
        self.config = config
        self.raw: Any = OmegaConf.to_container(config)

    def of_mapping(self, path: tuple[str, ...], found: Any) -> dict[str, Any]:
        return {key: self.of((*path, str(key)), value) for key, value in found.items()}

    def of(self, path: tuple[str, ...], found: Any) -> Any:
        """What `found`, as it stands at `path`, stands for."""
        if isinstance(found, dict):
            return self.of_mapping(path, found)
        if isinstance(found, list):
            return [self.of((*path, str(index)), one) for index, one in enumerate(found)]
        if isinstance(found, str) and "${" in found:
            reference = REFERENCE.fullmatch(found)
            return self._at(reference[1]) if reference else self._by_omegaconf(path, found)
        return found

    def _at(self, name: str) -> Any:
        path, found = tuple(name.split(".")), self.raw
        for word in path:
            if not isinstance(found, Mapping) or word not in found:
                raise Unusual(name)  # perhaps by way of another reference
            found = found[word]
        if found == MISSING:
            raise Unusual(name)
        return self.of(path, found)

    def _by_omegaconf(self, path: tuple[str, ...], found: str) -> Any:
        relative = "${." in found or "\\" in found
        if relative or not all(word.replace("_", "").isalnum() for word in path):
            raise Unusual(found)
        value = OmegaConf.select(self.config, ".".join(path))
        if isinstance(value, DictConfig | ListConfig):
            return OmegaConf.to_container(value, resolve=True)
        return value
