"""A trained transformer in a folder: `transformer.json` and `transformer.safetensors`."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

from motiongpt.errors import UserError
from motiongpt.files import save_with, write_json
from motiongpt.methods.t2m_gpt.network import CodeTransformer
from motiongpt.weights import load_checked, read_weights

DESCRIPTION, WEIGHTS = "transformer.json", "transformer.safetensors"
METHOD, FORMAT = "t2m_gpt", 1
MISSING = "no such file; train the method's transformer first"


def save_transformer(network: CodeTransformer, folder: Path) -> None:
    """Write both files; `load_transformer` opens them."""
    state = {name: t.detach().cpu().contiguous() for name, t in network.state_dict().items()}
    save_with(Path(folder) / WEIGHTS, lambda path: save_file(state, path))
    description = {"format": FORMAT, "method": METHOD, "arguments": network.arguments()}
    write_json(Path(folder) / DESCRIPTION, description)


def load_transformer(folder: Path, device: str | torch.device = "cpu") -> CodeTransformer:
    """What `save_transformer` wrote, in evaluation mode.

    Raises:
        UserError: files missing or damaged, or of another method or format.
    """
    network = _described(Path(folder) / DESCRIPTION)
    path = Path(folder) / WEIGHTS
    load_checked(network, read_weights(path, MISSING), f"{path}: ")
    return network.to(device).eval()


def _described(path: Path) -> CodeTransformer:
    """The untrained network that a description names."""
    try:
        described = json.loads(path.read_text())
        found = described["method"], described["format"]
        if found != (METHOD, FORMAT):
            raise UserError(
                f"{path}: of method {found[0]}, format {found[1]}; expected {METHOD}, {FORMAT}"
            )
        return CodeTransformer(**described["arguments"])
    except FileNotFoundError:
        raise UserError(f"{path}: {MISSING}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: not a transformer's description: {error!r}") from error
