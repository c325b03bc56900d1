"""A trained transformer in a folder: `transformer.json` and `transformer.safetensors`."""

import json
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from motiongpt.errors import UserError
from motiongpt.files import save_with, write_json
from motiongpt.methods.t2m_gpt.network import CodeTransformer
from motiongpt.shapes import check_shapes

DESCRIPTION, WEIGHTS = "transformer.json", "transformer.safetensors"
METHOD, FORMAT = "t2m_gpt", 1


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
    try:
        state = load_file(path)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; train the method's transformer first") from None
    except SafetensorError as error:
        raise UserError(f"{path}: damaged weights: {error}") from error
    check_shapes(network.state_dict(), state, f"{path}: ")
    network.load_state_dict(state)
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
        raise UserError(f"{path}: no such file; train the method's transformer first") from None
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: not a transformer's description: {error!r}") from error
