"""Single steps of any decoder-only model of transformers, and its own cache of keys and values."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from motiongpt.backbones.steps.base import DecoderState, Head, StepModel

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class CausalSteps(StepModel):
    """`model` as it is; with precision bfloat16 it computes under autocast."""

    def __init__(self, model: PreTrainedModel, precision: str) -> None:
        super().__init__(precision)
        self.model = model
        self.body: Any = model.base_model
        self.output: Any = model.get_output_embeddings()
        # Bloom and MPT find positions in the mask alone.
        self.takes_positions = "position_ids" in signature(self.body.forward).parameters

    def start(self, inputs: Mapping[str, Tensor], tokens: int) -> DecoderState:
        """See `StepModel.start`; prompts are padded on the left."""
        return _CausalState(self, inputs["input_ids"], inputs["attention_mask"], tokens)

    def head(self, token_ids: Tensor) -> Head:
        """See `StepModel.head`."""
        bias = getattr(self.output, "bias", None)
        rows = None if bias is None else bias[token_ids]
        return Head(self.output.weight[token_ids], rows, 1.0, self.dtype)


class _CausalState(DecoderState):
    def __init__(self, model: CausalSteps, tokens: Tensor, mask: Tensor, room: int) -> None:
        from transformers import DynamicCache

        self.model = model
        self.cache = DynamicCache()
        self.length = mask.shape[1]
        self.mask = torch.cat([mask, mask.new_ones(len(mask), room)], dim=1)
        positions = (mask.cumsum(1) - 1).clamp_min(0)
        self._read(tokens, positions)
        self.next = positions[:, -1:] + 1

    def append(self, tokens: Tensor) -> None:
        self.length += 1
        self._read(tokens[:, None], self.next)
        self.next = self.next + 1

    def keep(self, rows: Tensor) -> None:
        self.hidden, self.mask, self.next = self.hidden[rows], self.mask[rows], self.next[rows]
        self.cache.batch_select_indices(rows)

    def _read(self, tokens: Tensor, positions: Tensor) -> None:
        dtype = self.model.dtype
        given = {"position_ids": positions} if self.model.takes_positions else {}
        with torch.autocast(tokens.device.type, dtype, enabled=dtype != torch.float32):
            read = self.model.body(
                **given,
                input_ids=tokens,
                attention_mask=self.mask[:, : self.length],
                past_key_values=self.cache,
                use_cache=True,
            )
        self.hidden = read.last_hidden_state[:, -1].float()
