"""A trained network of MoMask in a folder: `momask.json` and `momask.safetensors`."""

from pathlib import Path
from typing import TypeVar

import torch

from motiongpt.methods.momask.length import LengthEstimator
from motiongpt.methods.momask.masked import MaskedTransformer
from motiongpt.methods.momask.residual import ResidualTransformer
from motiongpt.methods.network_folder import NetworkFolder

METHOD = "momask"
FOLDER = NetworkFolder(
    METHOD, "momask", "network", "no such file; run the stages of method momask first"
)

MoMaskNetwork = MaskedTransformer | ResidualTransformer | LengthEstimator
Network = TypeVar("Network", MaskedTransformer, ResidualTransformer, LengthEstimator)


def save_network(network: MoMaskNetwork, folder: Path) -> None:
    """Write both files; `load_network` opens them."""
    FOLDER.save(network, network.arguments(), folder, part=type(network).__name__)


def load_network(kind: type[Network], folder: Path, device: str | torch.device = "cpu") -> Network:
    """What `save_network` wrote of this kind, in evaluation mode.

    Raises:
        UserError: files missing or damaged, or of another method, network or format.
    """
    arguments = FOLDER.described(folder, kind.__name__)["arguments"]
    return FOLDER.load(folder, kind, arguments, device)
