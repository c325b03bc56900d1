"""Weights of MoMask's released transformers and length estimator under our names.

    input_process.poseEmbedding           token_projection
    cond_emb                              text_projection
    quant_emb                             codebook_projection
    seqTransEncoder.layers.{i}            blocks.{i}
    output_process.dense, .LayerNorm      head, head_norm
    output_process.poseFinal              output
    token_emb                             token_embedding
    token_embed_weight_, output_proj_weight_, embed_proj_shared_weight
                                          embedding_tables, output_tables, shared_tables
    token_embed_weight, output_proj_weight, output_proj_bias
                                          the same of weights that aren't shared, and output_bias
    output.{0 … 11}                       layers.{0 … 11} of the length estimator

Saved too, and no part of ours: the table of sines and cosines, which is computed, and a last row of
output_proj_bias, which no codebook has.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from motiongpt.codecs.actor.positions import sinusoids
from motiongpt.errors import UserError
from motiongpt.weights import dimension, layer_count, load_checked

SINUSOIDS = "position_enc.pe"
BLOCKS = "seqTransEncoder.layers."
ROUNDING = 1e-3
"""The released table is float32 throughout; its angles reach 5,000."""
LAYERS = {
    "input_process.poseEmbedding": "token_projection",
    "cond_emb": "text_projection",
    "quant_emb": "codebook_projection",
    "output_process.dense": "head",
    "output_process.LayerNorm": "head_norm",
    "output_process.poseFinal": "output",
    "token_emb": "token_embedding",
}
TABLES = {
    "embed_proj_shared_weight": "shared_tables",
    "token_embed_weight_": "embedding_tables",
    "output_proj_weight_": "output_tables",
    "token_embed_weight": "embedding_tables",
    "output_proj_weight": "output_tables",
    "output_proj_bias": "output_bias",
}
HEAD_WIDTH = 64
"""Of the released networks: 6 heads at a width of 384."""


def our_name(released: str) -> str:
    """Our name of one weight of a transformer.

    Raises:
        UserError: no part of the released transformers that is in use is called so.
    """
    if released in TABLES:
        return TABLES[released]
    if released.startswith(BLOCKS):
        return f"blocks.{released.removeprefix(BLOCKS)}"
    part, _, kind = released.rpartition(".")
    if part not in LAYERS:
        raise UserError(
            f"the checkpoint has {released!r}, which no part of MoMask's released transformers is "
            "called"
        )
    return f"{LAYERS[part]}.{kind}"


def from_original_state_dict(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Our state_dict of a transformer from the released one.

    Raises:
        UserError: a name that no part has, or positions that are no sines and cosines.
    """
    named = {name: tensor for name, tensor in state.items() if name != SINUSOIDS}
    if SINUSOIDS in state:
        _check_sinusoids(state[SINUSOIDS])
    renamed = {our_name(name): tensor for name, tensor in named.items()}
    if "output_bias" in renamed:
        renamed["output_bias"] = renamed["output_bias"][:-1]
    return renamed


def load_original(network: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Load released weights into a transformer.

    Raises:
        UserError: a weight is missing, left over, or of another shape.
    """
    load_checked(network, from_original_state_dict(state), "released weights: ")


def masked_sizes(state: Mapping[str, Tensor], heads: int | None = None) -> dict[str, Any]:
    """The constructor's arguments of `MaskedTransformer` that the released weights' shapes tell.

    Args:
        heads: leave no trace; None takes one for each 64 of the width, as released. Nor do the
            longest motion, 49 tokens, and the dropout.

    Raises:
        UserError: a weight that tells a size is not there.
    """
    return {
        "codebook_size": dimension(state, "token_emb.weight", 0, "") - 2,
        "code_dim": dimension(state, "token_emb.weight", 1, ""),
        **_sizes(state, heads),
    }


def residual_sizes(state: Mapping[str, Tensor], heads: int | None = None) -> dict[str, Any]:
    """The same of `ResidualTransformer`; logits of unshared tables are doubled, as they were."""
    shared = "embed_proj_shared_weight" in state
    table = "token_embed_weight_" if shared else "token_embed_weight"
    return {
        "codebooks": dimension(state, "quant_emb.weight", 1, ""),
        "codebook_size": dimension(state, table, 1, "") - 1,
        "code_dim": dimension(state, table, 2, ""),
        "share_weights": shared,
        "doubled": not shared,
        **_sizes(state, heads),
    }


def length_from_original(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Our state_dict of a `LengthEstimator` from the released one.

    Raises:
        UserError: a name that the released estimator has not.
    """
    if odd := [name for name in state if not name.startswith("output.")]:
        raise UserError(f"the checkpoint has {odd[0]!r}, which no part of the length estimator is")
    return {f"layers.{name.removeprefix('output.')}": tensor for name, tensor in state.items()}


def length_sizes(state: Mapping[str, Tensor]) -> dict[str, Any]:
    """The constructor's arguments of `LengthEstimator` that the released weights' shapes tell.

    Raises:
        UserError: its first or last layer is not there.
    """
    return {
        "text_width": dimension(state, "output.0.weight", 1, ""),
        "max_tokens": dimension(state, "output.11.weight", 0, "") - 1,
    }


def _sizes(state: Mapping[str, Tensor], heads: int | None) -> dict[str, Any]:
    width = dimension(state, "cond_emb.weight", 0, "")
    heads = max(1, width // HEAD_WIDTH) if heads is None else heads
    return {
        "text_width": dimension(state, "cond_emb.weight", 1, ""),
        "width": width,
        "feed_forward": dimension(state, f"{BLOCKS}0.linear1.weight", 0, ""),
        "layers": layer_count(state, r"seqTransEncoder\.layers\.(\d+)\."),
        "heads": heads,
    }


def _check_sinusoids(table: Tensor) -> None:
    saved = table.squeeze(1)
    problem = saved.dim() != 2 or saved.shape[1] % 2
    if not problem and saved.device.type != "meta":
        with torch.device(saved.device):  # sizes are tried without memory first: see check_fit
            error = (saved - sinusoids(*saved.shape)).abs().max()
        problem = not error <= ROUNDING  # NaN too
    if problem:
        raise UserError(
            f"{SINUSOIDS}: expected sines and cosines of the positions: the checkpoint is of "
            "another model"
        )
