"""The motion store of an experiment: found, or prepared if its source allows it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from launch.plans.signatures import digest
from motiongpt.data.build import build_store
from motiongpt.data.clip import MotionSource
from motiongpt.data.store import MotionStore


def store_folder(config: DictConfig) -> Path:
    """Where the store of `config.data` lies: named by all of its settings."""
    settings = OmegaConf.to_container(config.data, resolve=True)
    assert isinstance(settings, Mapping)
    source: dict[str, Any] = {
        key: value
        for key, value in settings["source"].items()
        if key not in ("workers", "progress")
    }
    return (
        Path(config.paths.root)
        / "data"
        / f"{config.data.name}-{digest({**settings, 'source': source})[:8]}"
    )


def make_source(config: DictConfig) -> MotionSource:
    """The motion source that `data=` names.

    Raises:
        UserError: its folder or archive is missing.
    """
    return instantiate(config.data.source)


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
        build_store(make_source(config), folder, **config.data.store)
    return folder, MotionStore.open(folder).fingerprint
