"""A trained network of MoMask in a folder: `momask.json` and `momask.safetensors`."""

from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors.torch import save_file

from motiongpt.errors import UserError
from motiongpt.files import save_with, write_json
from motiongpt.methods.momask.length import LengthEstimator
from motiongpt.methods.momask.masked import MaskedTransformer
from motiongpt.methods.momask.residual import ResidualTransformer
from motiongpt.reading import read_json_object
from motiongpt.weights import check_sizes, load_checked, made_to_fit, read_weights

DESCRIPTION, WEIGHTS = "momask.json", "momask.safetensors"
METHOD, FORMAT = "momask", 1
MISSING = "no such file; run the stages of method momask first"

MoMaskNetwork = MaskedTransformer | ResidualTransformer | LengthEstimator
Network = TypeVar("Network", MaskedTransformer, ResidualTransformer, LengthEstimator)


def save_network(network: MoMaskNetwork, folder: Path) -> None:
    """Write both files; `load_network` opens them."""
    state = {name: t.detach().cpu().contiguous() for name, t in network.state_dict().items()}
    save_with(Path(folder) / WEIGHTS, lambda path: save_file(state, path))
    described = {
        "format": FORMAT,
        "method": METHOD,
        "class": type(network).__name__,
        "arguments": network.arguments(),
    }
    write_json(Path(folder) / DESCRIPTION, described)


def load_network(kind: type[Network], folder: Path, device: str | torch.device = "cpu") -> Network:
    """What `save_network` wrote of this kind, in evaluation mode.

    Raises:
        UserError: files missing or damaged, or of another method, network or format.
    """
    described, path = Path(folder) / DESCRIPTION, Path(folder) / WEIGHTS
    arguments, state = _arguments(described, kind.__name__), read_weights(path, MISSING)
    check_sizes(arguments, len(state), str(described))
    try:
        network = made_to_fit(
            lambda: kind(**arguments), lambda made: load_checked(made, state, f"{path}: ")
        )
    except (ValueError, TypeError) as error:
        raise UserError(f"{described}: not a network's description: {error!r}") from error
    return network.to(device).eval()


def _arguments(path: Path, kind: str) -> dict[str, Any]:
    """Those of the network that a description names."""
    try:
        described = read_json_object(path)
        found = described["method"], described["class"], described["format"]
        if found != (METHOD, kind, FORMAT):
            raise UserError(
                f"{path}: a {found[1]} of method {found[0]}, format {found[2]}; expected a {kind} "
                f"of {METHOD}, format {FORMAT}"
            )
        return dict(described["arguments"])
    except FileNotFoundError:
        raise UserError(f"{path}: {MISSING}") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: not a network's description: {error!r}") from error
