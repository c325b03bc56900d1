"""Generation beside what the memory allows: every step reads all of the decoder's weights."""

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import nn

from motiongpt.methods.motiongpt.generation.decoding import Decoding
from motiongpt.methods.motiongpt.generation.generate import generate
from tests.benchmarks.gpu.number import Number, ratio, told
from tests.benchmarks.gpu.timing import copy_bandwidth, median_of
from tests.benchmarks.speed.language import LANGUAGE_SIZES, prompts, random_backbone
from tests.benchmarks.speed.part import Settings
from tests.benchmarks.speed.process import peak_memory

TITLE = "Generating motions for captions, beside the memory's speed"
SHARE_OF_BOUND = 0.5
MARKS = 2  # start and end of a motion
REPEATS = 3
MORE_ROWS = 8  # times the captions of the first batch
BYTES = {"float32": 4, "bfloat16": 2}


def measure(settings: Settings) -> Iterator[Number]:
    """Time of a step over the bound: bytes of the decoder's weights over the copy's bandwidth."""
    size = LANGUAGE_SIZES[settings.size]
    dtype = "bfloat16" if settings.device == "cuda" else "float32"
    torch.manual_seed(settings.seed)
    backbone = random_backbone(replace(settings, dropout=0.0)).eval()
    weights = decoder_weights(backbone.language_model, size.codebook + MARKS + 1)
    bandwidth = copy_bandwidth(settings.device)
    yield told("bandwidth of a large copy", bandwidth / 1e9, "GB/s")
    bound = weights * BYTES[dtype] / bandwidth
    yield told(f"decoder's weights in {dtype}", weights * BYTES[dtype] / 2**20, "MiB")
    texts = prompts(settings)
    for rows in (len(texts), MORE_ROWS * len(texts)):
        asked = (texts * MORE_ROWS)[:rows]
        seconds = median_of(
            lambda asked=asked: generate(
                backbone,
                asked,
                "motion",
                Decoding(strategy="sampling", precision=dtype),
                [size.new_tokens - MARKS] * len(asked),
                settings.seed,
            ),
            settings.device,
            REPEATS,
            warm_up=1,
        )
        tokens = rows * size.new_tokens
        yield told(f"{rows} captions x {size.new_tokens} tokens", tokens / seconds, "tokens/s")
        if rows == len(texts):
            share = bound * size.new_tokens / seconds
            yield ratio(
                f"share of the memory's bound, {rows} rows", share, SHARE_OF_BOUND, settings
            )
    yield told("most memory", peak_memory(settings.device) / 2**20, "MiB")


def decoder_weights(model: nn.Module, head_rows: int) -> int:
    """Numbers that one step reads: of the decoder's layers, and the head's rows of motion tokens.

    Keys and values of the prompt are made once, so their weights are left out.
    """
    blocks = model.decoder.block
    whole = sum(weight.numel() for weight in blocks.parameters())
    read = [block.layer[1].EncDecAttention for block in blocks]
    once = sum(layer.k.weight.numel() + layer.v.weight.numel() for layer in read)
    bias = sum(
        table.weight.numel() for table in blocks.modules() if isinstance(table, nn.Embedding)
    )
    return int(whole - once - bias + head_rows * model.config.d_model)
