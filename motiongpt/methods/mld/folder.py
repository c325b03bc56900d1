"""A trained denoiser in a folder: `denoiser.json`, `denoiser.safetensors` and `lengths.npy`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch

from motiongpt.methods.mld.denoiser import LatentDenoiser
from motiongpt.methods.mld.schedule import NoiseSchedule
from motiongpt.methods.network_folder import NetworkFolder

METHOD = "mld"
FOLDER = NetworkFolder(
    METHOD, "denoiser", "denoiser", "no such file; run the stage that trains MLD's denoiser first"
)


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
        noise = self.schedule.arguments()
        FOLDER.save(self.network, self.network.arguments(), folder, noise=noise)
        FOLDER.save_lengths(self.lengths, folder)

    @classmethod
    def load(cls, folder: Path, device: str | torch.device = "cpu") -> Self:
        """What `save` wrote, in evaluation mode.

        Raises:
            UserError: files missing or damaged, or of another method or format.
        """
        described = FOLDER.described(folder)
        schedule = FOLDER.made(folder, described, "noise", lambda noise: NoiseSchedule(**noise))
        network = FOLDER.load(folder, LatentDenoiser, described["arguments"], device)
        return cls(network, schedule.to(device), FOLDER.lengths(folder))
