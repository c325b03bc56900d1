"""Weights of MLD's class `VPosert` under our names.

The released names number the layers of two `nn.Sequential`s:

    encoder_net.1                encoder.input_norm
    encoder_net.2                encoder.input
    encoder_net.4                encoder.hidden_norm
    encoder_net.6                encoder.hidden
    encoder_net.7                encoder.output
    encoder_net.8.mu             encoder.mean
    encoder_net.8.logvar         encoder.spread    (a softplus follows; it is no log-variance)
    decoder_net.{0,3,5}          decoder.{input,hidden,output}
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from motiongpt.codecs.vposer_t.network import VPoserT
from motiongpt.errors import UserError
from motiongpt.weights import load_checked

NAMES = {
    "encoder_net.1": "encoder.input_norm",
    "encoder_net.2": "encoder.input",
    "encoder_net.4": "encoder.hidden_norm",
    "encoder_net.6": "encoder.hidden",
    "encoder_net.7": "encoder.output",
    "encoder_net.8.mu": "encoder.mean",
    "encoder_net.8.logvar": "encoder.spread",
    "decoder_net.0": "decoder.input",
    "decoder_net.3": "decoder.hidden",
    "decoder_net.5": "decoder.output",
}
FIRST, LATENT = "encoder_net.2.weight", "encoder_net.8.mu.weight"


def our_name(name: str) -> str:
    """Our name of a released weight.

    Raises:
        UserError: no layer of the released VPoser-t is called so.
    """
    layer, _, kind = name.rpartition(".")
    if layer not in NAMES:
        raise UserError(
            f"the checkpoint has {name!r}, which no part of the released VPoser-t is called"
        )
    return f"{NAMES[layer]}.{kind}"


def from_original_state_dict(state: Mapping[str, Tensor], prefix: str = "") -> dict[str, Tensor]:
    """Our state_dict of a `VPoserT` from the released one.

    Args:
        state: released names to tensors; names that don't begin with `prefix` are passed over.
        prefix: "vae." in a whole MLD checkpoint.

    Raises:
        UserError: a name that no part of the released VPoser-t has.
    """
    own = {name[len(prefix) :]: t for name, t in state.items() if name.startswith(prefix)}
    return {our_name(name): tensor for name, tensor in own.items()}


def load_original(codec: VPoserT, state: Mapping[str, Tensor], prefix: str = "") -> None:
    """Load released weights into `codec`.

    Raises:
        UserError: a weight is missing, left over, or of another shape.
    """
    load_checked(codec, from_original_state_dict(state, prefix), "released weights: ")


def original_sizes(
    state: Mapping[str, Tensor], n_features: int, prefix: str = ""
) -> dict[str, Any]:
    """The constructor's arguments of `VPoserT` that the released weights' shapes tell.

    Args:
        n_features: F; the weights only tell frames x F.

    Raises:
        UserError: these are no weights of VPoser-t, or not for F features.
    """
    first, latent = state.get(prefix + FIRST), state.get(prefix + LATENT)
    if first is None or latent is None:
        raise UserError(f"no {prefix}{FIRST} or {prefix}{LATENT}: these are no VPoser-t's weights")
    width, n_inputs = first.shape
    if n_inputs % n_features:
        raise UserError(f"{prefix}{FIRST} takes {n_inputs} numbers, no multiple of {n_features}")
    return {
        "n_features": n_features,
        "frames": n_inputs // n_features,
        "width": width,
        "latent": latent.shape[0],
    }
