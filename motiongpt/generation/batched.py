"""Writing many rows at once with transformers' generation and its cache of keys and values."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor
from transformers import GenerationConfig, LogitsProcessorList

from motiongpt.generation.constraints import Rows, TokenIds, WritingConstraint
from motiongpt.generation.decoding import Decoding


@torch.no_grad()
def write_rows(
    model: Any,
    inputs: Mapping[str, Tensor],
    prefix_length: int,
    rows: Rows,
    ids: TokenIds,
    decoding: Decoding,
) -> list[list[int]]:
    """Write one batch; gives each row's new token ids, an end mark included, an end of text not.

    Args:
        model: a PreTrainedModel that can generate.
        inputs: `input_ids` and `attention_mask` (B, L) of the prompts.
        prefix_length: tokens that the returned sequences have before the first new one.
    """
    constraint = WritingConstraint(ids, rows, prefix_length, decoding.num_beams)
    was_training = model.training
    model.eval()
    try:
        sequences = model.generate(
            **inputs,
            generation_config=_generation_config(model, rows, ids, decoding),
            use_model_defaults=False,
            logits_processor=LogitsProcessorList([constraint]),
        )
    finally:
        model.train(was_training)
    new = sequences[:, prefix_length:].tolist()
    return [_until_end(row, ids) for row in new]


@contextlib.contextmanager
def random_stream(seed: int | None, device: torch.device) -> Iterator[None]:
    """Draw from a stream of its own for `seed`; the global one goes on afterwards untouched.

    transformers' generation takes no `torch.Generator`, so the global state is set and put back.
    Without a seed the global stream is used, and moves on.
    """
    if seed is None:
        yield
        return
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


def _generation_config(
    model: Any, rows: Rows, ids: TokenIds, decoding: Decoding
) -> GenerationConfig:
    sampling = decoding.strategy == "sampling"
    choice = (
        {"temperature": decoding.temperature, "top_k": decoding.top_k, "top_p": decoding.top_p}
        if sampling
        else {}
    )
    return GenerationConfig(
        max_new_tokens=rows.longest(),
        do_sample=sampling,
        num_beams=decoding.num_beams,
        eos_token_id=[ids.end_of_text, ids.end],
        pad_token_id=model.config.pad_token_id,
        decoder_start_token_id=getattr(model.config, "decoder_start_token_id", None),
        use_cache=True,
        **choice,
    )


def _until_end(row: list[int], ids: TokenIds) -> list[int]:
    for i, token in enumerate(row):
        if token == ids.end:
            return row[: i + 1]
        if token == ids.end_of_text:
            return row[:i]
    return row
