"""Weights of T2M-GPT's released transformer under our names, and ours under the released ones.

    trans_base.tok_emb                token_embedding
    trans_base.cond_emb               text_projection
    trans_base.blocks.{i}             base.{i}
    trans_head.blocks.{i}             head.{i}
        .ln1, .ln2                        .attention_norm, .feed_forward_norm
        .attn.query, .key, .value         .attention.query, .key, .value
        .attn.proj                        .attention.output
        .mlp.{0, 2}                       .feed_forward.{0, 2}
    trans_head.ln_f                   output_norm
    trans_head.head                   output

Saved too, and no part of ours: the causal mask of each block, the table of sines and cosines, which
is computed, and a learned table of positions that the released network never reads.
"""

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from motiongpt.errors import UserError
from motiongpt.methods.t2m_gpt.blocks import sinusoids
from motiongpt.methods.t2m_gpt.network import CodeTransformer
from motiongpt.weights import check_weights, dimension, layer_count, made_to_fit

CONTAINER = "trans"
"""Key of the weights in a released checkpoint."""
HEAD_WIDTH = 64
"""Of the released networks: 16 heads at a width of 1024, 8 at the default of 512."""

EDGES = {
    "token_embedding": "trans_base.tok_emb",
    "text_projection": "trans_base.cond_emb",
    "output_norm": "trans_head.ln_f",
    "output": "trans_head.head",
}
IN_BLOCKS = {
    "attention_norm": "ln1",
    "feed_forward_norm": "ln2",
    "attention.query": "attn.query",
    "attention.key": "attn.key",
    "attention.value": "attn.value",
    "attention.output": "attn.proj",
    "feed_forward.0": "mlp.0",
    "feed_forward.2": "mlp.2",
}
SINUSOIDS, UNUSED_POSITIONS = "trans_base.pos_embed.embed", "trans_base.pos_embedding.weight"
BLOCK = re.compile(r"(base|head)\.(\d+)\.(.+)")
ROUNDING = 1e-4


def original_name(ours: str) -> str:
    """The released name of one of our weights."""
    layer, _, kind = ours.rpartition(".")
    block = BLOCK.fullmatch(layer)
    if block:
        return f"trans_{block[1]}.blocks.{block[2]}.{IN_BLOCKS[block[3]]}.{kind}"
    return f"{EDGES[layer]}.{kind}"


def original_state_dict(network: CodeTransformer) -> dict[str, Tensor]:
    """Our weights as a released checkpoint holds them, the unused table left at zero."""
    state = {original_name(name): tensor for name, tensor in network.state_dict().items()}
    sines = network.positions
    size = network.block_size
    state[SINUSOIDS] = sines[:, None]
    state[UNUSED_POSITIONS] = torch.zeros_like(sines)
    mask = torch.ones(size, size, device=sines.device).tril()[None, None]
    for half in ("base", "head"):
        for index in range(len(network.base)):
            state[f"trans_{half}.blocks.{index}.attn.mask"] = mask
    return state


def original_sizes(state: Mapping[str, Tensor], heads: int | None = None) -> dict[str, Any]:
    """The constructor's arguments of `CodeTransformer` that the released weights' shapes tell.

    Args:
        heads: leave no trace in the shapes; None takes one for each 64 of the width, as released.

    Raises:
        UserError: a weight that tells a size is not there, or the heads can't share the width.
    """
    rows, width = (dimension(state, "trans_base.tok_emb.weight", axis, "") for axis in (0, 1))
    heads = max(1, width // HEAD_WIDTH) if heads is None else heads
    if width % heads:
        raise UserError(f"heads={heads} can't share the width {width} of the checkpoint")
    return {
        "codebook_size": rows - 2,
        "text_width": dimension(state, "trans_base.cond_emb.weight", 1, ""),
        "block_size": dimension(state, SINUSOIDS, 0, ""),
        "width": width,
        "blocks": layer_count(state, r"trans_base\.blocks\.(\d+)\."),
        "heads": heads,
        "expansion": dimension(state, "trans_base.blocks.0.mlp.0.weight", 0, "") // width,
    }


def transformer_from_state(
    state: Mapping[str, Tensor], heads: int | None = None
) -> CodeTransformer:
    """A network with the released weights; `state` is what a checkpoint has under "trans".

    Args:
        heads: see `original_sizes`.

    Raises:
        UserError: a weight is missing, left over or of another shape than expected, or positions
            are not the sines and cosines that the released network has.
    """
    sizes = original_sizes(state, heads)
    network = made_to_fit(
        lambda: CodeTransformer(**sizes),
        lambda made: check_weights(original_state_dict(made), state, f"{CONTAINER}."),
    )
    saved = state[SINUSOIDS][:, 0]
    error = (saved - sinusoids(*saved.shape)).abs().max()
    if not error <= ROUNDING:  # NaN too
        raise UserError(
            f"{CONTAINER}.{SINUSOIDS}: expected sines and cosines of the positions, found numbers "
            f"{float(error):.2g} away: the checkpoint is of another model"
        )
    network.load_state_dict(
        {name: state[original_name(name)].float() for name in network.state_dict()}
    )
    return network.eval()
