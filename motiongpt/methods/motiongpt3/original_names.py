"""Weights of MotionGPT3's released diffusion head under our names.

net.time_embed.mlp.{0, 2}                 step_embedding.{0, 2}
net.input_proj                            input
net.cond_embed.hidden_embedding           condition.tokens
net.cond_embed.hid_pos.pe                 condition.positions
net.cond_embed.hid_encoder_layer          condition.block
net.cond_embed.cond_proj                  condition.output
net.cond_embed (a linear layer alone)     condition
net.res_blocks.{i}.in_ln, .mlp            blocks.{i}.norm, .feed_forward
net.res_blocks.{i}.adaLN_modulation.1     blocks.{i}.modulation
net.final_layer.adaLN_modulation.1        modulation
net.final_layer.linear                    output
"""

import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from motiongpt.errors import UserError
from motiongpt.methods.motiongpt3.head import DiffusionHead
from motiongpt.weights import dimension, layer_count, load_checked

TOKENS, POSITIONS = "net.cond_embed.hidden_embedding", "net.cond_embed.hid_pos.pe"
RULES = (
    (r"net\.time_embed\.mlp\.", "step_embedding."),
    (r"net\.input_proj\.", "input."),
    (r"net\.cond_embed\.hidden_embedding$", "condition.tokens"),
    (r"net\.cond_embed\.hid_pos\.pe$", "condition.positions"),
    (r"net\.cond_embed\.hid_encoder_layer\.", "condition.block."),
    (r"net\.cond_embed\.cond_proj\.", "condition.output."),
    (r"net\.cond_embed\.(?=weight$|bias$)", "condition."),
    (r"net\.res_blocks\.(\d+)\.in_ln\.", r"blocks.\1.norm."),
    (r"net\.res_blocks\.(\d+)\.mlp\.", r"blocks.\1.feed_forward."),
    (r"net\.res_blocks\.(\d+)\.adaLN_modulation\.1\.", r"blocks.\1.modulation."),
    (r"net\.final_layer\.adaLN_modulation\.1\.", "modulation."),
    (r"net\.final_layer\.linear\.", "output."),
)


def our_name(released: str) -> str:
    """Our name of one weight.

    Raises:
        UserError: no part of the released head is called so.
    """
    for pattern, ours in RULES:
        if re.match(pattern, released):
            return re.sub(f"^{pattern}", ours, released)
    raise UserError(
        f"the checkpoint has {released!r}, which no part of MotionGPT3's diffusion head is called"
    )


def from_original_state_dict(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Our state_dict of a `DiffusionHead` from the released one.

    Raises:
        UserError: as `our_name`.
    """
    return {
        our_name(name): tensor.squeeze(1) if name == POSITIONS else tensor
        for name, tensor in state.items()
    }


def load_original(head: DiffusionHead, state: Mapping[str, Tensor]) -> None:
    """Load released weights.

    Raises:
        UserError: a weight is missing, left over, or of another shape.
    """
    load_checked(head, from_original_state_dict(state), "released weights: ")


def original_sizes(state: Mapping[str, Tensor], hidden_tokens: int = 4) -> dict[str, Any]:
    """The constructor's arguments of `DiffusionHead` that the released weights' shapes tell.

    Args:
        hidden_tokens: leave no trace; 4 were released.

    Raises:
        UserError: a weight that tells a size is not there.
    """
    several = TOKENS in state
    flat = dimension(state, "net.cond_embed.cond_proj.weight" if several else
                     "net.cond_embed.weight", 1, "")  # fmt: skip
    sizes: dict[str, Any] = {
        "latent_width": dimension(state, "net.input_proj.weight", 1, ""),
        "hidden_width": flat if several else flat // hidden_tokens,
        "latent_tokens": dimension(state, TOKENS, 0, "") if several else None,
        "hidden_tokens": hidden_tokens,
        "width": dimension(state, "net.input_proj.weight", 0, ""),
        "depth": layer_count(state, r"net\.res_blocks\.(\d+)\."),
    }
    return sizes | ({"positions": dimension(state, POSITIONS, 0, "")} if several else {})
