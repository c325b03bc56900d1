"""A trained transformer in a folder: `transformer.json` and `transformer.safetensors`."""

from pathlib import Path

import torch

from motiongpt.methods.network_folder import NetworkFolder
from motiongpt.methods.t2m_gpt.network import CodeTransformer

METHOD = "t2m_gpt"
FOLDER = NetworkFolder(
    METHOD, "transformer", "transformer", "no such file; train the method's transformer first"
)


def save_transformer(network: CodeTransformer, folder: Path) -> None:
    """Write both files; `load_transformer` opens them."""
    FOLDER.save(network, network.arguments(), folder)


def load_transformer(folder: Path, device: str | torch.device = "cpu") -> CodeTransformer:
    """What `save_transformer` wrote, in evaluation mode.

    Raises:
        UserError: files missing or damaged, or of another method or format.
    """
    arguments = FOLDER.described(folder)["arguments"]
    return FOLDER.load(folder, CodeTransformer, arguments, device)
