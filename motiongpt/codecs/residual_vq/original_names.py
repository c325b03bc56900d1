"""Weights of MoMask's released residual VQ-VAE under our names.

The convolutions are called as MotionGPT's, see `vq_vae.original_names`; the codebooks are
`quantizer.layers.{q}.codebook` there and here.
"""

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from motiongpt.codecs.residual_vq.network import ResidualVQVAE
from motiongpt.codecs.vq_vae import original_names as convolutions
from motiongpt.errors import UserError
from motiongpt.weights import layer_count, load_checked

QUANTIZER = "quantizer."
CODEBOOK = re.compile(r"quantizer\.layers\.(\d+)\.codebook")
FIRST, ALONE = "quantizer.layers.0.codebook", "quantizer.codebook"


def from_original_state_dict(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Our state_dict of a `ResidualVQVAE` from the released one.

    The released checkpoints lack the codebooks' averages; further training starts as if each code
    had been chosen once a step.

    Raises:
        UserError: a name that no part of the released residual VQ-VAE has.
    """
    renamed = {
        name: tensor
        for name, tensor in convolutions.from_original_state_dict(_single(state)).items()
        if not name.startswith(QUANTIZER)
    }
    for name, codebook in state.items():
        if CODEBOOK.fullmatch(name):
            layer = name.rpartition(".")[0]
            renamed[name] = codebook
            renamed[f"{layer}.code_sum"] = codebook.clone()
            renamed[f"{layer}.code_count"] = torch.ones(len(codebook), device=codebook.device)
            renamed[f"{layer}.initialised"] = torch.tensor(True, device=codebook.device)
    return renamed


def load_original(tokenizer: ResidualVQVAE, state: Mapping[str, Tensor]) -> None:
    """Load released weights.

    Raises:
        UserError: a weight is missing, left over, or of another shape.
    """
    load_checked(tokenizer, from_original_state_dict(state), "released weights: ")


def original_sizes(state: Mapping[str, Tensor]) -> dict[str, Any]:
    """The constructor's arguments of `ResidualVQVAE` that the released weights' shapes tell.

    (The growth of the dilations and the activation leave no trace; 3 and relu were released.)

    Raises:
        UserError: the first convolution or a codebook is not there.
    """
    sizes = convolutions.original_sizes(_single(state))
    return sizes | {"codebooks": layer_count(state, CODEBOOK.pattern)}


def _single(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state as if the first codebook were the only one.

    Raises:
        UserError: there is no first codebook.
    """
    if FIRST not in state:
        raise UserError(
            f"expected a released residual VQ-VAE ({FIRST}), found "
            f"{', '.join(sorted(state)[:3]) or 'nothing'} …"
        )
    rest = {name: tensor for name, tensor in state.items() if not CODEBOOK.fullmatch(name)}
    return rest | {ALONE: state[FIRST]}
