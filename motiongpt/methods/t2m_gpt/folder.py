"""A trained transformer in a folder: `transformer.json` and `transformer.safetensors`."""

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from motiongpt.errors import UserError
from motiongpt.files import save_with, write_json
from motiongpt.methods.t2m_gpt.network import CodeTransformer
from motiongpt.reading import read_json_object
from motiongpt.weights import check_sizes, load_checked, made_to_fit, read_weights

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
    described, path = Path(folder) / DESCRIPTION, Path(folder) / WEIGHTS
    arguments, state = _arguments(described), read_weights(path, MISSING)
    check_sizes(arguments, len(state), str(described))
    try:
        network = made_to_fit(
            lambda: CodeTransformer(**arguments),
            lambda made: load_checked(made, state, f"{path}: "),
        )
    except (ValueError, TypeError) as error:
        raise UserError(f"{described}: not a transformer's description: {error!r}") from error
    return network.to(device).eval()


def _arguments(path: Path) -> dict[str, Any]:
    """Those of the network that a description names."""
    try:
        described = read_json_object(path)
        found = described["method"], described["format"]
        if found != (METHOD, FORMAT):
            raise UserError(
                f"{path}: of method {found[0]}, format {found[1]}; expected {METHOD}, {FORMAT}"
            )
        return dict(described["arguments"])
    except FileNotFoundError:
        raise UserError(f"{path}: {MISSING}") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: not a transformer's description: {error!r}") from error
