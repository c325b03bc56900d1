"""A trained denoiser in a folder: description, weights, statistics and lengths of its clips."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from safetensors.torch import save_file

from motiongpt.arrays import read_array
from motiongpt.errors import UserError
from motiongpt.files import save_array, save_with, write_json
from motiongpt.methods.mdm.network import MotionDenoiser
from motiongpt.methods.mdm.schedule import NoiseSchedule
from motiongpt.reading import read_json_object
from motiongpt.weights import check_sizes, load_checked, made_to_fit, read_weights

DESCRIPTION, WEIGHTS = "denoiser.json", "denoiser.safetensors"
LENGTHS, MEAN, STD = "lengths.npy", "mean.npy", "std.npy"
METHOD, FORMAT = "mdm", 1
MISSING = "no such file; run the stage that trains MDM's denoiser first"


@dataclass(frozen=True)
class TrainedMotionDenoiser:
    """What the stage leaves and the method opens.

    Attributes:
        network: the denoiser.
        schedule: of the noise it was trained with.
        mean, std: (F,) float32 of the normalisation it was trained with.
        lengths: (C,) int64 frames of the training clips, to draw one where none is asked for.
    """

    network: MotionDenoiser
    schedule: NoiseSchedule
    mean: np.ndarray
    std: np.ndarray
    lengths: np.ndarray

    def normalised(self, motion: np.ndarray) -> np.ndarray:
        """What the network takes of raw features (…, F)."""
        return ((motion - self.mean) / self.std).astype(np.float32)

    def raw(self, motion: np.ndarray) -> np.ndarray:
        """Raw features (…, F) of what the network gives."""
        return motion * self.std + self.mean

    def save(self, folder: Path) -> None:
        """Write the five files; `load` opens them."""
        folder = Path(folder)
        weights = self.network.state_dict().items()
        state = {name: tensor.detach().cpu().contiguous() for name, tensor in weights}
        save_with(folder / WEIGHTS, lambda path: save_file(state, path))
        save_array(folder / LENGTHS, np.asarray(self.lengths, np.int64))
        for name, values in ((MEAN, self.mean), (STD, self.std)):
            save_array(folder / name, np.asarray(values, np.float32))
        described = {
            "format": FORMAT,
            "method": METHOD,
            "arguments": self.network.arguments(),
            "noise": self.schedule.arguments(),
        }
        write_json(folder / DESCRIPTION, described)

    @classmethod
    def load(cls, folder: Path, device: str | torch.device = "cpu") -> Self:
        """What `save` wrote, in evaluation mode.

        Raises:
            UserError: files missing or damaged, or of another method or format.
        """
        folder = Path(folder)
        path = folder / WEIGHTS
        arguments, noise = _arguments(folder / DESCRIPTION)
        state = read_weights(path, MISSING)
        check_sizes(arguments | noise, len(state), str(folder / DESCRIPTION))
        try:
            schedule = NoiseSchedule(**noise)
            network = made_to_fit(
                lambda: MotionDenoiser(**arguments),
                lambda made: load_checked(made, state, f"{path}: "),
            )
        except (ValueError, TypeError) as error:
            raise UserError(
                f"{folder / DESCRIPTION}: not a denoiser's description: {error!r}"
            ) from error
        mean, std = (_statistics(folder / name, network.n_features) for name in (MEAN, STD))
        if not (std > 0).all():
            raise UserError(f"{folder / STD}: feature {int(std.argmin())} is not > 0")
        lengths = _lengths(folder / LENGTHS)
        return cls(network.to(device).eval(), schedule.to(device), mean, std, lengths)


def _arguments(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Those of the network that a description names, and of its noise."""
    try:
        described = read_json_object(path)
        found = described["method"], described["format"]
        if found != (METHOD, FORMAT):
            raise UserError(
                f"{path}: of method {found[0]}, format {found[1]}; expected {METHOD}, {FORMAT}"
            )
        return dict(described["arguments"]), dict(described["noise"])
    except FileNotFoundError:
        raise UserError(f"{path}: {MISSING}") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: not a denoiser's description: {error!r}") from error


def _array(path: Path) -> np.ndarray:
    try:
        return read_array(path)
    except FileNotFoundError:
        raise UserError(f"{path}: {MISSING}") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: damaged: {error}") from error


def _statistics(path: Path, n_features: int) -> np.ndarray:
    values = _array(path)
    wrong = values.shape != (n_features,) or values.dtype != np.float32
    if wrong or not np.isfinite(values).all():
        raise UserError(f"{path}: expected {n_features} finite numbers, one a feature, as float32")
    return values


def _lengths(path: Path) -> np.ndarray:
    lengths = _array(path)
    if lengths.ndim != 1 or not len(lengths) or lengths.dtype != np.int64 or lengths.min() < 1:
        raise UserError(f"{path}: expected frames of one training clip or more, above 0, as int64")
    return lengths
