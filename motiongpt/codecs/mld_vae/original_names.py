"""Weights of MLD's released VAE under our names, and the sizes that their shapes tell.

The blocks of the transformers are called alike. A released table of positions has an axis more,
for the batch: (rows, 1, D).

    global_motion_token       distribution_tokens
    query_pos_encoder.pe      encoder_positions
    query_pos_decoder.pe      decoder_positions
    skel_embedding            embedding
    final_layer               output
"""

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from motiongpt.errors import UserError
from motiongpt.weights import load_checked

TABLES = {
    "query_pos_encoder.pe": "encoder_positions",
    "query_pos_decoder.pe": "decoder_positions",
}
EDGES = {
    "global_motion_token": "distribution_tokens",
    "skel_embedding": "embedding",
    "final_layer": "output",
}
BLOCKS = re.compile(r"(encoder|decoder)\.(norm|(input|middle|output|linear)_blocks?)\..+")


def from_original_state_dict(state: Mapping[str, Tensor], prefix: str = "") -> dict[str, Tensor]:
    """Our state_dict of an `MLDVAE` from the released one.

    Args:
        state: released names to tensors; names that don't begin with `prefix` are passed over.
        prefix: "vae." in a whole checkpoint of MLD.

    Raises:
        UserError: a name that no part of the released VAE has.
    """
    return {
        our_name(name[len(prefix) :]): tensor.squeeze(1) if name.endswith(".pe") else tensor
        for name, tensor in state.items()
        if name.startswith(prefix)
    }


def our_name(released: str) -> str:
    """Our name of one weight.

    Raises:
        UserError: no part of the released VAE is called so.
    """
    if released in TABLES:
        return TABLES[released]
    if BLOCKS.fullmatch(released):
        return released
    edge, dot, kind = released.partition(".")
    if edge not in EDGES:
        raise UserError(
            f"the checkpoint has {released!r}, which no part of MLD's released VAE is called"
        )
    return EDGES[edge] + dot + kind


def load_original(vae: nn.Module, state: Mapping[str, Tensor], prefix: str = "") -> None:
    """Load released weights.

    Raises:
        UserError: a weight is missing, left over, or of another shape.
    """
    load_checked(vae, from_original_state_dict(state, prefix), "released weights: ")


def original_sizes(state: Mapping[str, Tensor], prefix: str = "") -> dict[str, Any]:
    """The constructor's arguments of `MLDVAE` that the released weights' shapes tell.

    (Heads, dropout and activation leave no trace; 4, 0.1 and gelu were released.)

    Raises:
        UserError: the state is not of a released VAE.
    """
    own = {name[len(prefix) :]: t for name, t in state.items() if name.startswith(prefix)}
    wanted = ("skel_embedding.weight", "global_motion_token", "query_pos_encoder.pe")
    for name in wanted:
        if name not in own:
            raise UserError(
                f"expected MLD's released VAE ({prefix}{name}), found "
                f"{', '.join(sorted(state)[:3]) or 'nothing'} …"
            )
    width, n_features = own["skel_embedding.weight"].shape
    return {
        "n_features": n_features,
        "latent_tokens": own["global_motion_token"].shape[0] // 2,
        "width": width,
        "positions": own["query_pos_encoder.pe"].shape[0],
        **skip_sizes(own, "encoder."),
    }


def skip_sizes(state: Mapping[str, Tensor], prefix: str) -> dict[str, int]:
    """Layers and feed-forward width of the transformer with long skips whose names begin so.

    Raises:
        UserError: there is none.
    """
    middle = state.get(f"{prefix}middle_block.linear1.weight")
    if middle is None:
        raise UserError(f"the checkpoint has no {prefix}middle_block.linear1.weight")
    pairs = sum(
        bool(re.fullmatch(re.escape(prefix) + r"linear_blocks\.\d+\.weight", name))
        for name in state
    )
    return {"layers": 2 * pairs + 1, "feed_forward": middle.shape[0]}
