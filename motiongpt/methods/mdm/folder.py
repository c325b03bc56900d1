"""A trained denoiser in a folder: description, weights, statistics and lengths of its clips."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch

from motiongpt.errors import UserError
from motiongpt.files import save_array
from motiongpt.methods.mdm.network import MotionDenoiser
from motiongpt.methods.mdm.schedule import NoiseSchedule
from motiongpt.methods.network_folder import NetworkFolder

METHOD = "mdm"
MEAN, STD = "mean.npy", "std.npy"
FOLDER = NetworkFolder(
    METHOD, "denoiser", "denoiser", "no such file; run the stage that trains MDM's denoiser first"
)


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
        noise = self.schedule.arguments()
        FOLDER.save(self.network, self.network.arguments(), folder, noise=noise)
        FOLDER.save_lengths(self.lengths, folder)
        for name, values in ((MEAN, self.mean), (STD, self.std)):
            save_array(Path(folder) / name, np.asarray(values, np.float32))

    @classmethod
    def load(cls, folder: Path, device: str | torch.device = "cpu") -> Self:
        """What `save` wrote, in evaluation mode.

        Raises:
            UserError: files missing or damaged, or of another method or format.
        """
        described = FOLDER.described(folder)
        schedule = FOLDER.made(folder, described, "noise", lambda noise: NoiseSchedule(**noise))
        network = FOLDER.load(folder, MotionDenoiser, described["arguments"], device)
        mean, std = (_statistics(folder, name, network.n_features) for name in (MEAN, STD))
        if not (std > 0).all():
            raise UserError(f"{Path(folder) / STD}: feature {int(std.argmin())} is not > 0")
        return cls(network, schedule.to(device), mean, std, FOLDER.lengths(folder))


def _statistics(folder: Path, name: str, n_features: int) -> np.ndarray:
    values = FOLDER.array(folder, name)
    wrong = values.shape != (n_features,) or values.dtype != np.float32
    if wrong or not np.isfinite(values).all():
        raise UserError(
            f"{Path(folder) / name}: expected {n_features} finite numbers, one a feature, as "
            "float32"
        )
    return values
