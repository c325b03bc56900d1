"""Beam search by transformers' own generation, constrained to what may follow in each row."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import GenerationConfig, LogitsProcessorList

from motiongpt.backbones.steps.base import DTYPES
from motiongpt.backbones.token_ids import TokenIds
from motiongpt.methods.motiongpt.generation.constraints import RowConstraint, Rows
from motiongpt.methods.motiongpt.generation.decoding import Decoding


def search_rows(
    model: Any,
    inputs: Mapping[str, Tensor],
    prefix_length: int,
    rows: Rows,
    ids: TokenIds,
    decoding: Decoding,
) -> list[list[int]]:
    """Generate one batch; gives each row's new token ids, an end mark included, an end of text not.

    Args:
        model: a PreTrainedModel that can generate.
        inputs: `input_ids` and `attention_mask` (B, L) of the prompts.
        prefix_length: tokens that the returned sequences have before the first new one.
    """
    constraint = RowConstraint(ids, rows, prefix_length, decoding.num_beams)
    dtype = DTYPES[decoding.precision]
    device = inputs["input_ids"].device.type
    with (
        _only_useful_rows(model, rows, ids),
        _default_config(model, _generation_config(model, rows, ids, decoding)),
        torch.autocast(device, dtype, enabled=dtype != torch.float32),
    ):
        sequences = model.generate(**inputs, logits_processor=LogitsProcessorList([constraint]))
    new = sequences[:, prefix_length:].tolist()
    return [_until_end(row, ids) for row in new]


class NarrowHead(nn.Module):
    """An output embedding that computes some tokens; the others get minus infinity."""

    def __init__(self, whole: nn.Linear, token_ids: Tensor) -> None:
        super().__init__()
        self.rows = len(whole.weight)
        self.token_ids = token_ids.to(whole.weight.device)
        self.weight = whole.weight[self.token_ids]

    def forward(self, hidden: Tensor) -> Tensor:
        """(B, L, D) to logits (B, L, rows of the whole embedding)."""
        some = functional.linear(hidden, self.weight)
        logits = some.new_full((*some.shape[:-1], self.rows), float("-inf"))
        return logits.index_copy_(-1, self.token_ids, some)


@contextlib.contextmanager
def _only_useful_rows(model: Any, rows: Rows, ids: TokenIds) -> Iterator[None]:
    """Where only motions are generated, let the model score motion tokens only."""
    whole = model.get_output_embeddings()
    if not bool(rows.is_motion.all()) or whole.bias is not None:
        yield
        return
    useful = torch.tensor([ids.start, *ids.codes, ids.end])
    model.set_output_embeddings(NarrowHead(whole, useful))
    try:
        yield
    finally:
        model.set_output_embeddings(whole)


@contextlib.contextmanager
def _default_config(model: Any, config: GenerationConfig) -> Iterator[None]:
    """Let `config` stand for the model's own, of which `generate` else takes what it leaves out."""
    own = model.generation_config
    model.generation_config = config
    try:
        yield
    finally:
        model.generation_config = own


def _generation_config(
    model: Any, rows: Rows, ids: TokenIds, decoding: Decoding
) -> GenerationConfig:
    return GenerationConfig(
        max_new_tokens=rows.longest(),
        do_sample=False,
        num_beams=decoding.num_beams,
        eos_token_id=[ids.end_of_text, ids.end],
        pad_token_id=model.config.pad_token_id,
        decoder_start_token_id=getattr(model.config, "decoder_start_token_id", None),
        use_cache=True,
    )


def _until_end(row: list[int], ids: TokenIds) -> list[int]:
    for i, token in enumerate(row):
        if token == ids.end:
            return row[: i + 1]
        if token == ids.end_of_text:
            return row[:i]
    return row
