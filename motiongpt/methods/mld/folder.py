"""A trained denoiser in a folder: `denoiser.json`, `denoiser.safetensors` and `lengths.npy`."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch
from safetensors.torch import save_file

from motiongpt.errors import UserError
from motiongpt.files import save_array, save_with, write_json
from motiongpt.methods.mld.denoiser import LatentDenoiser
from motiongpt.methods.mld.schedule import NoiseSchedule
from motiongpt.weights import load_checked, read_weights

DESCRIPTION, WEIGHTS, LENGTHS = "denoiser.json", "denoiser.safetensors", "lengths.npy"
METHOD, FORMAT = "mld", 1
MISSING = "no such file; run the stage that trains MLD's denoiser first"


@dataclass(frozen=True)
class TrainedDenoiser:
    """What the stage leaves and the method opens.

    Attributes:
        network: the denoiser.
        schedule: of the noise it was trained with.
        lengths: (C,) int64 frames of the training clips, to draw one where none is asked for.
    """

    network: LatentDenoiser
    schedule: NoiseSchedule
    lengths: np.ndarray

    def save(self, folder: Path) -> None:
        """Write the three files; `load` opens them."""
        folder = Path(folder)
        weights = self.network.state_dict().items()
        state = {name: tensor.detach().cpu().contiguous() for name, tensor in weights}
        save_with(folder / WEIGHTS, lambda path: save_file(state, path))
        save_array(folder / LENGTHS, np.asarray(self.lengths, np.int64))
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
        network, schedule = _described(folder / DESCRIPTION)
        path = folder / WEIGHTS
        load_checked(network, read_weights(path, MISSING), f"{path}: ")
        lengths = _lengths(folder / LENGTHS)
        return cls(network.to(device).eval(), schedule.to(device), lengths)


def _described(path: Path) -> tuple[LatentDenoiser, NoiseSchedule]:
    """The untrained network that a description names, and its noise."""
    try:
        described = json.loads(path.read_text())
        found = described["method"], described["format"]
        if found != (METHOD, FORMAT):
            raise UserError(
                f"{path}: of method {found[0]}, format {found[1]}; expected {METHOD}, {FORMAT}"
            )
        return LatentDenoiser(**described["arguments"]), NoiseSchedule(**described["noise"])
    except FileNotFoundError:
        raise UserError(f"{path}: {MISSING}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: not a denoiser's description: {error!r}") from error


def _lengths(path: Path) -> np.ndarray:
    try:
        lengths = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise UserError(f"{path}: {MISSING}") from None
    except (OSError, ValueError, EOFError) as error:
        raise UserError(f"{path}: damaged: {error}") from error
    if lengths.ndim != 1 or not len(lengths) or lengths.dtype != np.int64 or lengths.min() < 1:
        raise UserError(f"{path}: expected frames of one training clip or more, above 0, as int64")
    return lengths
