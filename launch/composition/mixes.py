"""The store of `data=mix`: made of its members' stores, each of which is that of `data=NAME`."""

from collections.abc import Callable
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from launch.composition.build import build
from launch.composition.declarations import stripped
from launch.composition.signatures import digest
from motiongpt.data.mix.source import MixSource
from motiongpt.data.mix.store import build_mix
from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError

Look = Callable[[DictConfig], tuple[Path, str]]
"""Gives folder and fingerprint of the store of one source."""


def is_mix(config: DictConfig) -> bool:
    """Whether `data=` names several sources."""
    return "members" in config.data


def member_config(config: DictConfig, name: str) -> DictConfig:
    """The configuration with one member of the mix as its data, as `data=NAME` has it."""
    members = OmegaConf.to_container(config.data.members, resolve=True)
    assert isinstance(members, dict)
    return OmegaConf.create({"paths": config.paths, "data": members[name]})


def known_mix(config: DictConfig, look: Look) -> tuple[Path, str]:
    """Folder and fingerprint of the mix's store; the fingerprint is empty where it, or a member's,
    must be prepared. Writes nothing.

    Args:
        look: for a member's store, without writing.

    Raises:
        UserError: a wrong name or weight, or a member's files are missing.
    """
    source = mix_source(config)
    found = {name: _look(config, name, look) for name in source.weights}
    folder = _folder(
        config, source, {name: fingerprint for name, (_, fingerprint) in found.items()}
    )
    if all(fingerprint for _, fingerprint in found.values()) and (folder / "store.json").exists():
        return folder, MotionStore.open(folder).fingerprint
    return folder, ""


def ensure_mix(config: DictConfig, look: Look) -> tuple[Path, str]:
    """Folder and fingerprint of the mix's store, which is made first where it is absent.

    Args:
        look: for a member's store, which is prepared where it is absent.

    Raises:
        UserError: as `known_mix`, or no clip of a member is usable.
    """
    source = mix_source(config)
    stores = {name: MotionStore.open(_look(config, name, look)[0]) for name in source.weights}
    prints = {name: store.fingerprint for name, store in stores.items()}
    folder = _folder(config, source, prints)
    if not (folder / "store.json").exists():
        print(f"joining {source.description} in {folder}", flush=True)
        build_mix(stores, source.weights, folder, **stripped(_settings(config)))
    return folder, MotionStore.open(folder).fingerprint


def mix_source(config: DictConfig) -> MixSource:
    """Its members and their weights.

    Raises:
        UserError: a wrong name or weight.
    """
    source: MixSource = build(config.data.source, "data.source")
    return source


def _look(config: DictConfig, name: str, look: Look) -> tuple[Path, str]:
    try:
        return look(member_config(config, name))
    except UserError as error:
        raise UserError(
            f"data.members.{name}, whose options begin so (data.weights.{name}=0 leaves it out): "
            f"{error}"
        ) from error


def _folder(config: DictConfig, source: MixSource, fingerprints: dict[str, str]) -> Path:
    """Beside the members' stores, named by their content, their weights and the mix's settings."""
    name = digest([source.weights, fingerprints, _settings(config)])
    return Path(config.paths.root) / "data" / f"{config.data.name}-{name[:8]}"


def _settings(config: DictConfig) -> dict[str, object]:
    """Keyword arguments of `build_mix`."""
    found = OmegaConf.to_container(config.data.store, resolve=True)
    assert isinstance(found, dict)
    return {str(key): value for key, value in found.items()}
