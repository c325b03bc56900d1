"""The mean and std that released weights were trained with; their checkpoints lack them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from motiongpt.arrays import read_array
from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError
from motiongpt.motion.skeleton import Skeleton

SUBFOLDERS = (".", "meta", "assets/meta")
"""Where mean.npy and std.npy may lie in a folder: `assets/meta` in MotionGPT's repository."""
PLAIN_CONTACTS = 0.1
"""Contacts are 0 or 1: their own std is near 0.4 or 0.5, and a 25th of that as released."""


@dataclass(frozen=True)
class Statistics:
    """Mean and std, (F,) float32 each, and where they come from."""

    mean: np.ndarray
    std: np.ndarray
    source: str

    @property
    def looks_plain(self) -> bool:
        """Whether root and contacts seem to lack the weight that the released ones give them."""
        return bool(self.std[-4:].mean() > PLAIN_CONTACTS)


def read_statistics(
    folder: Path | None,
    store: Path | None,
    skeleton: Skeleton,
    where_to_get: str,
    normalisation: str = "motiongpt",
) -> Statistics:
    """Statistics of a folder with mean.npy and std.npy, or of a motion store.

    Args:
        where_to_get: said where neither is given, or nothing is found.
        normalisation: of `data.store.normalisation`, that the released weights need.

    Raises:
        UserError: none or both given, none there, damaged, or of another width; a store of another
            skeleton, or one that is normalised otherwise than the released weights.
    """
    if folder is not None and store is not None:
        raise UserError("--statistics and --store both name the statistics: give one of them")
    if folder is not None:
        return _of_folder(folder, skeleton, where_to_get)
    if store is not None:
        return _of_store(store, skeleton, normalisation)
    raise UserError(
        "the checkpoint lacks the mean and std of the features; pass --statistics FOLDER with "
        f"mean.npy and std.npy: {where_to_get}"
    )


def _of_folder(folder: Path, skeleton: Skeleton, where_to_get: str) -> Statistics:
    for subfolder in SUBFOLDERS:
        if (folder / subfolder / "mean.npy").is_file():
            found = folder / subfolder
            mean, std = (_vector(found / name, skeleton) for name in ("mean.npy", "std.npy"))
            if not (std > 0).all():
                raise UserError(f"{found / 'std.npy'}: feature {int(std.argmin())} is not > 0")
            return Statistics(mean, std, "mean.npy, std.npy")
    raise UserError(f"{folder}: no mean.npy here ({', '.join(SUBFOLDERS)}); {where_to_get}")


def _of_store(folder: Path, skeleton: Skeleton, normalisation: str) -> Statistics:
    store = MotionStore.open(folder)
    if store.skeleton.name != skeleton.name:
        raise UserError(
            f"{folder}: a store of skeleton {store.skeleton.name}; the weights are for "
            f"{skeleton.name}"
        )
    if store.normalisation != normalisation:
        raise UserError(
            f"{folder}: a store with data.store.normalisation={store.normalisation}; the released "
            f"weights need {normalisation}: prepare one with "
            f"data.store.normalisation={normalisation}"
        )
    source = f"store {store.name}, fingerprint {store.fingerprint}"
    return Statistics(np.asarray(store.mean), np.asarray(store.std), source)


def _vector(path: Path, skeleton: Skeleton) -> np.ndarray:
    try:
        vector = read_array(path)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; it belongs beside mean.npy") from None
    except (ValueError, OSError) as error:
        raise UserError(f"{path}: expected an array of numbers; get the file again") from error
    if vector.shape != (skeleton.n_features,) or not np.issubdtype(vector.dtype, np.floating):
        raise UserError(
            f"{path}: expected {skeleton.n_features} real numbers, found {vector.dtype} of shape "
            f"{vector.shape}"
        )
    if not np.isfinite(vector).all():
        raise UserError(f"{path}: feature {int((~np.isfinite(vector)).argmax())} is not finite")
    return np.asarray(vector, dtype=np.float32)
