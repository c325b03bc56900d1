"""A T5 from its weights alone: what its configuration must have been."""

from collections.abc import Mapping

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase, T5Config, T5ForConditionalGeneration

from motiongpt.errors import UserError
from motiongpt.published.state_dicts import model_of
from motiongpt.weights import dimension, layer_count

FIRST = "encoder.block.0.layer.0.SelfAttention."
FEED_FORWARD = "encoder.block.0.layer.1.DenseReluDense."
INPUTS = ("encoder.embed_tokens.weight", "decoder.embed_tokens.weight")


def t5_config(
    state: Mapping[str, Tensor], tokenizer: PreTrainedTokenizerBase, prefix: str
) -> T5Config:
    """The configuration that the weights' shapes tell.

    Dropout, the largest distance of positions (128) and the epsilon leave no trace; they are T5's
    in all published sizes. A gated feed-forward layer is flan-T5's and T5 1.1's (gelu), another one
    the first T5's (relu). Output and input embeddings are tied where they are equal.

    Raises:
        UserError: a weight that every T5 has is missing.
    """
    heads = dimension(state, FIRST + "relative_attention_bias.weight", 1, prefix)
    gated = FEED_FORWARD + "wi_0.weight" in state
    wide = FEED_FORWARD + ("wi_0.weight" if gated else "wi.weight")
    return T5Config(
        vocab_size=dimension(state, "shared.weight", 0, prefix),
        d_model=dimension(state, "shared.weight", 1, prefix),
        d_kv=dimension(state, FIRST + "q.weight", 0, prefix) // heads,
        d_ff=dimension(state, wide, 0, prefix),
        num_layers=_layers(state, "encoder"),
        num_decoder_layers=_layers(state, "decoder"),
        num_heads=heads,
        relative_attention_num_buckets=dimension(
            state, FIRST + "relative_attention_bias.weight", 0, prefix
        ),
        feed_forward_proj="gated-gelu" if gated else "relu",
        tie_word_embeddings=_equal(state, "lm_head.weight"),
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        decoder_start_token_id=tokenizer.pad_token_id,
    )


def t5_from_state(
    state: Mapping[str, Tensor], tokenizer: PreTrainedTokenizerBase, prefix: str
) -> T5ForConditionalGeneration:
    """The model with these weights, in evaluation mode.

    Args:
        state: names of `T5ForConditionalGeneration` to tensors.
        prefix: of these names in the file, for messages.

    Raises:
        UserError: a weight is missing, left over or of another shape, or encoder and decoder have
            embeddings of their own.
    """
    config = t5_config(state, tokenizer, prefix)
    model = model_of(T5ForConditionalGeneration, config, state, prefix)
    for name in INPUTS:
        if not _equal(state, name):
            raise UserError(
                f"{prefix}{name}: expected the same numbers as {prefix}shared.weight, found others"
            )
    return model


def _layers(state: Mapping[str, Tensor], part: str) -> int:
    return layer_count(state, rf"{part}\.block\.(\d+)\.")


def _equal(state: Mapping[str, Tensor], name: str) -> bool:
    """Whether a weight is that of the shared embedding; an absent one is."""
    if name not in state:
        return True
    one, other = state[name], state["shared.weight"]
    return one.shape == other.shape and torch.equal(one, other)
