"""Weights of the released ACTOR, and of MLD's rewrite of it, under our names.

    ACTOR                        MLD                            ours
    encoder.muQuery              encoder.mu_token               encoder.mean_tokens
    encoder.sigmaQuery           encoder.logvar_token           encoder.log_variance_tokens
    encoder.mu_layer                                            encoder.mean
    encoder.sigma_layer                                         encoder.log_variance
    encoder.skelEmbedding        encoder.skel_embedding         encoder.embedding
    encoder.seqTransEncoder      encoder.seqTransEncoder        encoder.transformer
    decoder.seqTransDecoder      decoder.seqTransDecoder        decoder.transformer
    decoder.actionBiases                                        decoder.action_biases
    decoder.ztimelinear                                         decoder.mixing
    decoder.finallayer           decoder.final_layer            decoder.output

Both store the sinusoids, ….pe, in each half; we compute them. MLD's tokens are vectors, ours have
a row for each action.
"""

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from motiongpt.codecs.actor.positions import sinusoids
from motiongpt.errors import UserError
from motiongpt.weights import load_checked

NAMES = {
    "encoder.muQuery": "encoder.mean_tokens",
    "encoder.mu_token": "encoder.mean_tokens",
    "encoder.sigmaQuery": "encoder.log_variance_tokens",
    "encoder.logvar_token": "encoder.log_variance_tokens",
    "encoder.mu_layer": "encoder.mean",
    "encoder.sigma_layer": "encoder.log_variance",
    "encoder.skelEmbedding": "encoder.embedding",
    "encoder.skel_embedding": "encoder.embedding",
    "encoder.seqTransEncoder": "encoder.transformer",
    "decoder.seqTransDecoder": "decoder.transformer",
    "decoder.actionBiases": "decoder.action_biases",
    "decoder.ztimelinear": "decoder.mixing",
    "decoder.finallayer": "decoder.output",
    "decoder.final_layer": "decoder.output",
}
VECTORS = ("encoder.mu_token", "encoder.logvar_token")
TABLES = re.compile(r"(encoder|decoder)\.sequence_pos_encod(er|ing)\.pe")
TABLE_ERROR = 1e-4


def our_name(name: str) -> str:
    """Our name of a released weight.

    Raises:
        UserError: no part of the released ACTOR is called so.
    """
    part = ".".join(name.split(".")[:2])
    if part not in NAMES:
        raise UserError(
            f"the checkpoint has {name!r}, which no part of the released ACTOR is called"
        )
    return NAMES[part] + name[len(part) :]


def from_original_state_dict(state: Mapping[str, Tensor], prefix: str = "") -> dict[str, Tensor]:
    """Our state_dict of an `Actor` or `ActionActor` from the released one.

    Args:
        state: released names to tensors; names that don't begin with `prefix` are passed over.
        prefix: "vae." in a whole MLD checkpoint.

    Raises:
        UserError: a name that no part of the released ACTOR has.
    """
    own = {name[len(prefix) :]: t for name, t in state.items() if name.startswith(prefix)}
    return {
        our_name(name): tensor[None] if name in VECTORS else tensor
        for name, tensor in own.items()
        if not TABLES.fullmatch(name)
    }


def load_original(network: nn.Module, state: Mapping[str, Tensor], prefix: str = "") -> None:
    """Load released weights into `network`, an `Actor`, `ActionActor` or a half of one.

    Raises:
        UserError: a weight is missing, left over, or of another shape, or the positions are no
            sinusoids.
    """
    for name, table in state.items():
        if name.startswith(prefix) and TABLES.fullmatch(name[len(prefix) :]):
            ours = sinusoids(table.shape[0], table.shape[-1])
            if not torch.allclose(table[:, 0].cpu(), ours, atol=TABLE_ERROR):
                raise UserError(f"released weights: {name} does not hold ACTOR's sinusoids")
    load_checked(network, from_original_state_dict(state, prefix), "released weights: ")


def original_sizes(state: Mapping[str, Tensor], prefix: str = "") -> dict[str, Any]:
    """n_features, width, layers and feedforward of a released ACTOR; heads leave no trace.

    Raises:
        UserError: these are no weights of ACTOR.
    """
    own = from_original_state_dict(state, prefix)
    half = "decoder" if "decoder.output.weight" in own else "encoder"
    edge = own.get(f"{half}.{'output' if half == 'decoder' else 'embedding'}.weight")
    inner = own.get(f"{half}.transformer.layers.0.linear1.weight")
    if edge is None or inner is None:
        raise UserError("no first layer or no output: these are no weights of ACTOR")
    found = [re.match(rf"{half}\.transformer\.layers\.(\d+)\.", name) for name in own]
    feedforward, width = inner.shape
    return {
        "n_features": edge.shape[0] if half == "decoder" else edge.shape[1],
        "width": width,
        "layers": 1 + max(int(match[1]) for match in found if match),
        "feedforward": feedforward,
    }
