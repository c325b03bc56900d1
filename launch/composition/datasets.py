"""The motion store of an experiment: found, or prepared if its source allows it."""

from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from launch.composition.build import build
from launch.plans.declarations import stripped
from launch.plans.signatures import digest, signed_part
from motiongpt.data.build import build_store
from motiongpt.data.clip import MotionSource
from motiongpt.data.store import MotionStore


def store_folder(config: DictConfig) -> Path:
    """Where the store of `config.data` lies: named by all of its settings that are signed."""
    signed = digest(signed_part(OmegaConf.to_container(config.data, resolve=True)))
    return Path(config.paths.root) / "data" / f"{config.data.name}-{signed[:8]}"


def make_source(config: DictConfig) -> MotionSource:
    """The motion source that `data=` names.

    Raises:
        UserError: its folder or archive is missing.
    """
    source: MotionSource = build(config.data.source)
    return source


def ensure_store(config: DictConfig, again: bool = False) -> tuple[Path, str]:
    """Folder and fingerprint of the store, which is prepared first where it is absent.

    Args:
        again: prepare it even so, because the source's files have changed.

    Raises:
        UserError: the source's files are missing, or no clip of it is usable.
    """
    folder = store_folder(config)
    if again or not (folder / "store.json").exists():
        print(f"preparing {config.data.name} in {folder}", flush=True)
        settings = stripped(OmegaConf.to_container(config.data.store, resolve=True))
        build_store(make_source(config), folder, **settings)
    return folder, MotionStore.open(folder).fingerprint
