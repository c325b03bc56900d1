"""Training of the language model beside the machine's peak: tokens a second, share of its products.

The share counts all products of the layers (with `FlopCounterMode`), on rows without padding.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from motiongpt.backbones.t5 import T5Backbone
from motiongpt.methods.motiongpt.training.language_model_cost import (
    language_flops,
    transformer_parts,
)
from motiongpt.training.compilation import compile_parts
from motiongpt.training.machine_peak import peak_flops
from tests.benchmarks.gpu.number import Number, ratio, told
from tests.benchmarks.gpu.parts.compiled import backend_of
from tests.benchmarks.gpu.timing import median_of
from tests.benchmarks.speed.language import LANGUAGE_SIZES, pairs, random_backbone
from tests.benchmarks.speed.part import Settings
from tests.benchmarks.speed.process import peak_memory
from tests.benchmarks.speed.training import adam_w, autocast

TITLE = "Training the language model in bfloat16, beside the matrix products' peak"
SHARE_OF_PEAK = 0.5
REPEATS = 5
TOKENS_IN, TOKENS_OUT = 64, 64
# Rows whose activations take at most half of a GPU's memory, some 100 MB each at base size.
ROW_BYTES, MOST_ROWS, FEWEST_ROWS = 1e8, 512, 4


def measure(settings: Settings) -> Iterator[Number]:
    """The paper's batch as the stage trains it, then rows enough to fill the machine."""
    settings = replace(settings, dropout=0.0)
    peak = peak_flops(torch.device(settings.device), torch.bfloat16)
    yield told("peak of bfloat16 products, measured", peak / 1e12, "TFLOP/s")
    torch.manual_seed(settings.seed)
    backbone = random_backbone(settings).train()
    texts = pairs(settings)
    lengths = [pair.lengths() for pair in texts]
    yield from _whole_step(
        f"{len(texts)} clips of real lengths",
        settings,
        backbone,
        backbone.collate(texts),
        (sum(read for read, _ in lengths), sum(made for _, made in lengths)),
        peak,
    )
    rows = _rows(settings)
    batch = _full_rows(backbone, rows)
    tokens = rows * TOKENS_IN, rows * TOKENS_OUT
    named = f"{rows} full rows of {TOKENS_IN} + {TOKENS_OUT} tokens"
    yield from _whole_step(named, settings, backbone, batch, tokens, peak)
    layers = _layers(settings, backbone, batch)
    with FlopCounterMode(display=False) as counted:
        layers()
    flops = counted.get_total_flops()
    eager = flops / median_of(layers, settings.device, REPEATS) / peak
    yield told("the same rows, layers alone: share of the peak", eager, "")
    compile_parts(transformer_parts(backbone), backend_of(settings))
    compiled = flops / median_of(layers, settings.device, REPEATS, warm_up=3) / peak
    yield told("layers alone under torch.compile: share of the peak", compiled, "")
    best = max(eager, compiled)
    yield ratio(
        "layers alone, the faster of both: share of the peak", best, SHARE_OF_PEAK, settings
    )
    yield told("most memory", peak_memory(settings.device) / 2**20, "MiB")


def _whole_step(
    named: str,
    settings: Settings,
    backbone: T5Backbone,
    batch: dict[str, torch.Tensor],
    tokens: tuple[int, int],
    peak: float,
) -> Iterator[Number]:
    """A step of loss, gradients and AdamW, by the operations that its tokens need."""
    optimizer = adam_w(backbone.parameters(), fused=True)
    there = {name: tensor.to(settings.device) for name, tensor in batch.items()}

    def step() -> None:
        optimizer.zero_grad()
        with autocast(settings.device, "bfloat16"):
            loss = backbone.loss(there)
        loss.backward()
        optimizer.step()

    seconds = median_of(step, settings.device, REPEATS)
    optimizer.zero_grad()
    yield told(f"{named}, whole step", sum(tokens) / seconds, "tokens/s")
    share = language_flops(backbone, *tokens) / seconds / peak
    yield told(f"{named}, whole step: share of the peak", share, "")


def _layers(
    settings: Settings, backbone: T5Backbone, batch: dict[str, torch.Tensor]
) -> Callable[[], Any]:
    """Encoder and decoder forward and backward, without the output embedding and AdamW."""
    there = {name: tensor.to(settings.device) for name, tensor in batch.items()}

    def run() -> None:
        backbone.zero_grad(set_to_none=True)
        with autocast(settings.device, "bfloat16"):
            states, _ = backbone.label_states(there)
        states.float().square().mean().backward()

    return run


def _full_rows(backbone: T5Backbone, rows: int) -> dict[str, torch.Tensor]:
    ids = torch.randint(
        1, backbone.token_ids.vocabulary_size, (2, rows, max(TOKENS_IN, TOKENS_OUT))
    )
    return backbone.collate_ids(ids[0, :, :TOKENS_IN].tolist(), ids[1, :, :TOKENS_OUT].tolist())


def _rows(settings: Settings) -> int:
    if settings.device == "cpu":
        return max(FEWEST_ROWS, LANGUAGE_SIZES[settings.size].clips)
    memory = torch.cuda.get_device_properties(0).total_memory
    return int(min(MOST_ROWS, max(FEWEST_ROWS, memory / 2 // ROW_BYTES)))
