"""Single steps of a T5: the encoder reads once, the decoder's weights are joined and cast once.

The residual stream stays in float32 whatever the weights are in. Keys and values are kept in
arrays of their final size. Shapes as in `base`; H heads of K numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional

from motiongpt.backbones.steps.base import DecoderState, Head, StepModel
from motiongpt.backbones.steps.product import product

if TYPE_CHECKING:
    from transformers import T5ForConditionalGeneration


def output_scale(model: T5ForConditionalGeneration) -> float:
    """What T5 multiplies the decoder's states with before tied embeddings; 1 before others.

    transformers 5 has a field of its own for it, since it calls all of them tied.
    """
    config = model.config
    scaled = getattr(config, "scale_decoder_outputs", config.tie_word_embeddings)
    return float(model.model_dim**-0.5) if scaled else 1.0


class T5Steps(StepModel):
    """The decoder of `model`, with weights of `precision`."""

    def __init__(self, model: T5ForConditionalGeneration, precision: str) -> None:
        super().__init__(precision)
        self.model = model
        self.embedding = model.get_input_embeddings().weight
        self.first_token = int(model.config.decoder_start_token_id or 0)
        self.heads = model.config.num_heads
        self.layers = [_Layer(block, self.heads, self.dtype) for block in model.decoder.block]
        self.final = model.decoder.final_layer_norm
        self.scale = output_scale(model)

    def start(self, inputs: Mapping[str, Tensor], tokens: int) -> DecoderState:
        """See `StepModel.start`."""
        mask = inputs["attention_mask"]
        device = mask.device.type
        with torch.autocast(device, self.dtype, enabled=self.dtype != torch.float32):
            read = self.model.encoder(inputs["input_ids"], attention_mask=mask).last_hidden_state
        return _T5State(self, read, mask, tokens)

    def head(self, token_ids: Tensor) -> Head:
        """See `StepModel.head`; tied embeddings are multiplied with scaled vectors, as T5 does."""
        return Head(self.model.lm_head.weight[token_ids], None, self.scale, self.dtype)

    def position_bias(self, tokens: int) -> Tensor:
        """(tokens, H, tokens) what is added to the scores between two positions of the output."""
        attention: Any = self.model.decoder.block[0].layer[0].SelfAttention
        bias = attention.compute_bias(tokens, tokens, device=self.embedding.device)
        return bias[0].transpose(0, 1)


class _T5State(DecoderState):
    def __init__(self, model: T5Steps, read: Tensor, mask: Tensor, tokens: int) -> None:
        self.model = model
        self.generated = 0
        rows, dtype = len(read), _kept_dtype(mask.device, model.dtype)
        self.read = [layer.read_keys(read) for layer in model.layers]
        hidden = torch.zeros(mask.shape, dtype=dtype, device=mask.device)
        self.mask = hidden.masked_fill(mask == 0, float("-inf"))[:, None, None]
        shape = (2, rows, model.heads, tokens + 1, model.layers[0].head_width)
        self.kept = [torch.empty(shape, dtype=dtype, device=mask.device) for _ in model.layers]
        self.bias = model.position_bias(tokens + 1).to(dtype)
        self.append(torch.full((rows,), model.first_token, device=mask.device))

    def append(self, tokens: Tensor) -> None:
        hidden = self.model.embedding[tokens].float()
        position = self.generated
        bias = self.bias[None, position, :, None, : position + 1]
        for layer, kept, read in zip(self.model.layers, self.kept, self.read, strict=True):
            hidden = layer(hidden, kept, position, bias, read, self.mask)
        self.generated += 1
        self.hidden = self.model.final(hidden)

    def keep(self, rows: Tensor) -> None:
        self.hidden, self.mask = self.hidden[rows], self.mask[rows]
        self.kept = [kept[:, rows] for kept in self.kept]
        self.read = [(keys[rows], values[rows]) for keys, values in self.read]


class _Layer:
    """One decoder block's weights, joined where they are multiplied with the same vectors."""

    def __init__(self, block: Any, heads: int, dtype: torch.dtype) -> None:
        own, other, feed = block.layer[0], block.layer[1], block.layer[2]
        mine, read, dense = own.SelfAttention, other.EncDecAttention, feed.DenseReluDense
        self.heads, self.head_width = heads, mine.key_value_proj_dim
        self.norms = own.layer_norm, other.layer_norm, feed.layer_norm
        self.own_in = product(torch.cat([mine.q.weight, mine.k.weight, mine.v.weight]), dtype)
        self.own_out = product(mine.o.weight, dtype)
        self.read_in = product(read.q.weight, dtype)
        self.read_both = product(torch.cat([read.k.weight, read.v.weight]), dtype)
        self.read_out = product(read.o.weight, dtype)
        self.is_gated = hasattr(dense, "wi_0")
        wide = [dense.wi_0.weight, dense.wi_1.weight] if self.is_gated else [dense.wi.weight]
        self.wide, self.narrow = product(torch.cat(wide), dtype), product(dense.wo.weight, dtype)
        self.activation = dense.act
        self.dtype = dtype

    def read_keys(self, read: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values (B, H, L, K) of what the encoder read (B, L, D)."""
        rows, length, _ = read.shape
        both = self.read_both(read.to(self.dtype).flatten(0, 1))
        both = both.view(rows, length, 2, self.heads, self.head_width).permute(2, 0, 3, 1, 4)
        keys, values = both.to(_kept_dtype(read.device, self.dtype)).contiguous()
        return keys, values

    def __call__(
        self,
        hidden: Tensor,
        kept: Tensor,
        position: int,
        bias: Tensor,
        read: tuple[Tensor, Tensor],
        mask: Tensor,
    ) -> Tensor:
        """(B, D) to (B, D): the token at `position`, whose keys and values go into `kept`."""
        rows, width = len(hidden), self.head_width
        joined = self.own_in(self._normed(0, hidden)).view(rows, 3, self.heads, width)
        query, key, value = joined.to(kept.dtype).unbind(1)
        kept[0, :, :, position], kept[1, :, :, position] = key, value
        own = kept[:, :, :, : position + 1]
        hidden = hidden + self.own_out(_attend(query, own[0], own[1], bias).to(self.dtype))
        query = self.read_in(self._normed(1, hidden)).view(rows, self.heads, width).to(kept.dtype)
        hidden = hidden + self.read_out(_attend(query, *read, mask).to(self.dtype))
        wide = self.wide(self._normed(2, hidden))
        if self.is_gated:
            gate, wide = wide.chunk(2, dim=-1)
            wide = self.activation(gate) * wide
        else:
            wide = self.activation(wide)
        return hidden + self.narrow(wide)

    def _normed(self, number: int, hidden: Tensor) -> Tensor:
        norm = self.norms[number]
        epsilon = norm.variance_epsilon
        return functional.rms_norm(hidden, hidden.shape[-1:], norm.weight, epsilon).to(self.dtype)


def _kept_dtype(device: torch.device, dtype: torch.dtype) -> torch.dtype:
    """Keys and values are float32 on a CPU: attention to one token is several times faster so."""
    return torch.float32 if device.type == "cpu" else dtype


def _attend(query: Tensor, keys: Tensor, values: Tensor, bias: Tensor) -> Tensor:
    """(B, H, K) queries of one token, keys and values (B, H, L, K) to (B, H * K); T5 has no scale.

    Args:
        bias: added to the scores, broadcast to (B, H, 1, L).
    """
    found = functional.scaled_dot_product_attention(
        query.unsqueeze(2), keys, values, attn_mask=bias, scale=1.0
    )
    return found.flatten(1)
