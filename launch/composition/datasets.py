"""The motion stores of an experiment: found, or prepared if their sources allow it.

Most experiments have one; `data=mix` trains on the joined stores of its members and is judged on
the store of one of them.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from omegaconf import DictConfig, OmegaConf

from launch.composition.build import build
from launch.composition.declarations import stripped
from launch.composition.mixes import ensure_mix, is_mix, known_mix, member_config, mix_source
from launch.composition.signatures import digest, signed_part
from motiongpt.data.clip import MotionSource
from motiongpt.data.source_files import SourceState, source_state
from motiongpt.data.store import MotionStore

Store = tuple[Path, str]
"""Folder and fingerprint; the fingerprint is empty where it must be prepared."""


class Stores(NamedTuple):
    """What an experiment reads: the clips that models train on, and those that they are asked for
    and judged by (`Stage.evaluates`)."""

    trained: Store
    judged: Store


def ensure_stores(config: DictConfig) -> Stores:
    """Both stores, prepared first where they are absent.

    Raises:
        UserError: as `ensure_store`.
    """
    return _both(config, ensure_store)


def known_stores(config: DictConfig) -> Stores:
    """Both stores; writes nothing. Neither has a fingerprint where one of them is unprepared.

    Raises:
        UserError: as `known_store`.
    """
    found = _both(config, known_store)
    if found.trained[1] and found.judged[1]:
        return found
    return Stores((found.trained[0], ""), (found.judged[0], ""))


def _both(config: DictConfig, look: Callable[[DictConfig], Store]) -> Stores:
    trained = look(config)
    if not is_mix(config):
        return Stores(trained, trained)
    return Stores(trained, look(member_config(config, str(config.data.evaluate_on))))


def of_sources(config: DictConfig) -> dict[str, DictConfig]:
    """The configuration by its data's name; of a mix, one for each source that it trains on."""
    if not is_mix(config):
        return {str(config.data.name): config}
    return {name: member_config(config, name) for name in mix_source(config).weights}


def make_source(config: DictConfig) -> MotionSource:
    """The motion source that `data=` names.

    Raises:
        UserError: a setting that it can't use.
    """
    source: MotionSource = build(config.data.source, "data.source")
    return source


def store_settings(config: DictConfig) -> dict[str, Any]:
    """Keyword arguments of `build_store` besides the source and the folder."""
    return dict(stripped(OmegaConf.to_container(config.data.store, resolve=True)))


def store_folder(config: DictConfig) -> Path:
    """Where the store of `config.data` as it is now lies, prepared or not.

    Raises:
        UserError: the source's files are missing.
    """
    if is_mix(config):
        return known_store(config)[0]
    return _folder(config, _state(config, make_source(config)))


def known_store(config: DictConfig) -> Store:
    """Folder and fingerprint of the store; the fingerprint is empty where it must be prepared.

    Writes nothing.

    Raises:
        UserError: it is absent and so are the source's files.
    """
    if is_mix(config):
        return known_mix(config, known_store)
    source = make_source(config)
    state = _state(config, source)
    folder = _folder(config, state)
    if state.note:
        print(f"data {config.data.name}: {state.note}", flush=True)
    if (folder / "store.json").exists():
        return folder, MotionStore.open(folder).fingerprint
    len(source)  # looks for the files
    return folder, ""


def ensure_store(config: DictConfig, again: bool = False) -> Store:
    """Folder and fingerprint of the store, which is prepared first where it is absent.

    Data that has changed makes a store of its own; the one before stays for the runs that use it.

    Args:
        again: prepare it even so.

    Raises:
        UserError: the source's files are missing, or no clip of it is usable.
    """
    if is_mix(config):
        return ensure_mix(config, partial(ensure_store, again=again))
    source = make_source(config)
    state = _state(config, source)
    folder = _folder(config, state)
    if state.note:
        print(f"data {config.data.name}: {state.note}", flush=True)
    if again or not (folder / "store.json").exists():
        print(f"preparing {config.data.name} in {folder}", flush=True)
        from motiongpt.data.build import build_store  # of torch, for features; most data is there

        build_store(source, folder, **store_settings(config))
    state.remember()
    store = MotionStore.open(folder)
    if store.shortfall:
        print(
            f"data {store.name} is not whole: {store.shortfall}; `motiongpt data verify` names all",
            flush=True,
        )
    return folder, store.fingerprint


def _state(config: DictConfig, source: MotionSource) -> SourceState:
    index = Path(config.paths.root) / "data" / f"{config.data.name}-{_signed(config)[:8]}.files"
    return source_state(source, index)


def _folder(config: DictConfig, state: SourceState) -> Path:
    """Named by all of its settings that are signed, and by the content of its source's files."""
    signed = _signed(config)
    name = signed if state.content is None else digest([signed, state.content])
    return Path(config.paths.root) / "data" / f"{config.data.name}-{name[:8]}"


def _signed(config: DictConfig) -> str:
    return digest(signed_part(OmegaConf.to_container(config.data, resolve=True)))
