"""A GPT-2 from its weights alone: what its configuration must have been."""

import re
from collections.abc import Mapping

import torch
from torch import Tensor
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerBase

from motiongpt.errors import UserError
from motiongpt.published.state_dicts import model_of
from motiongpt.weights import dimension, layer_count

HEAD_WIDTH = 64  # of every published GPT-2; the shapes don't tell how many heads there are
MASKS = re.compile(r"transformer\.h\.\d+\.attn\.(masked_bias|bias)")  # constants, saved until 2023
INPUT, OUTPUT = "transformer.wte.weight", "lm_head.weight"


def gpt2_config(
    state: Mapping[str, Tensor], tokenizer: PreTrainedTokenizerBase, prefix: str
) -> GPT2Config:
    """The configuration that the weights' shapes tell; heads are `HEAD_WIDTH` wide.

    Raises:
        UserError: a weight that every GPT-2 has is missing, or its width is no multiple of
            `HEAD_WIDTH`.
    """
    width = dimension(state, INPUT, 1, prefix)
    if width % HEAD_WIDTH:
        raise UserError(
            f"{prefix}{INPUT}: expected a width that is a multiple of {HEAD_WIDTH}, as every "
            f"published GPT-2 has, found {width}"
        )
    tied = OUTPUT not in state or torch.equal(state[OUTPUT], state[INPUT])
    return GPT2Config(
        vocab_size=dimension(state, INPUT, 0, prefix),
        n_positions=dimension(state, "transformer.wpe.weight", 0, prefix),
        n_embd=width,
        n_layer=layer_count(state, r"transformer\.h\.(\d+)\."),
        n_head=width // HEAD_WIDTH,
        n_inner=dimension(state, "transformer.h.0.mlp.c_fc.weight", 1, prefix),
        tie_word_embeddings=tied,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.eos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )


def gpt2_from_state(
    state: Mapping[str, Tensor], tokenizer: PreTrainedTokenizerBase, prefix: str
) -> GPT2LMHeadModel:
    """The model with these weights, in evaluation mode.

    Args:
        state: names of `GPT2LMHeadModel` to tensors.
        prefix: of these names in the file, for messages.

    Raises:
        UserError: a weight is missing, left over or of another shape.
    """
    own = {name: tensor for name, tensor in state.items() if not MASKS.fullmatch(name)}
    config = gpt2_config(own, tokenizer, prefix)
    return model_of(GPT2LMHeadModel, config, own, prefix)
