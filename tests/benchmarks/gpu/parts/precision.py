"""Bfloat16 and float16 beside float32: the losses of some training steps."""

from collections.abc import Iterator
from dataclasses import replace

import torch

from motiongpt.methods.motiongpt.training.half_range import widen_feed_forward
from tests.benchmarks.gpu.differences import relative
from tests.benchmarks.gpu.number import Number, at_most, told
from tests.benchmarks.speed.language import pairs, random_backbone
from tests.benchmarks.speed.part import Settings
from tests.benchmarks.speed.process import peak_memory
from tests.benchmarks.speed.training import adam_w

TITLE = "Losses in bfloat16 and float16 beside float32"
STEPS = 6
SCALE = 256.0  # of float16's losses: none is so large that a step is left out
FIRST, LAST = 0.02, 0.05  # relative; bfloat16 has 8 bits
DTYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16}


def measure(settings: Settings) -> Iterator[Number]:
    """The same model and batches in each precision, without dropout."""
    settings = replace(settings, dropout=0.0)
    expected = _losses(settings, None)
    yield told(f"float32: loss after {STEPS} steps", expected[-1], "nats")
    for name, dtype in DTYPES.items():
        found = _losses(settings, dtype)
        first, last = (relative(found[at], expected[at]) for at in (0, -1))
        yield at_most(f"{name}: loss before training differs by (relative)", first, FIRST)
        yield at_most(f"{name}: loss after {STEPS} steps differs by (relative)", last, LAST)
    yield told("most memory", peak_memory(settings.device) / 2**20, "MiB")


def _losses(settings: Settings, dtype: torch.dtype | None) -> list[float]:
    """Loss at each step; float16 as Lightning trains it, with its losses scaled."""
    torch.manual_seed(settings.seed)
    backbone = random_backbone(settings).train()
    if dtype is torch.float16:
        widen_feed_forward(backbone.language_model)
    optimizer = adam_w(backbone.parameters(), fused=True)
    half = dtype is torch.float16
    scaler = torch.amp.GradScaler(settings.device, init_scale=SCALE, enabled=half)
    made = backbone.collate(pairs(settings))
    batch = {name: tensor.to(settings.device) for name, tensor in made.items()}
    found = []
    for _ in range(STEPS + 1):
        optimizer.zero_grad()
        with torch.autocast(settings.device, dtype or torch.bfloat16, enabled=dtype is not None):
            loss = backbone.loss(batch)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        found.append(float(loss.detach()))
    return found
