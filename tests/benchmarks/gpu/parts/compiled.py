"""`trainer.hardware.compile`: the same losses, and what a step gains."""

import time
from collections.abc import Iterator
from dataclasses import replace

import torch

from motiongpt.backbones.t5 import T5Backbone
from motiongpt.methods.motiongpt.training.language_model_cost import transformer_parts
from motiongpt.training.compilation import compile_parts
from tests.benchmarks.gpu.differences import relative
from tests.benchmarks.gpu.number import Number, at_most, told
from tests.benchmarks.gpu.timing import median_of, wait
from tests.benchmarks.speed.language import pairs, random_backbone
from tests.benchmarks.speed.part import Settings
from tests.benchmarks.speed.training import autocast

TITLE = "Training under torch.compile beside training without"
LOSS = 1e-4  # relative
REPEATS = 5
DRY = "eager"  # traces as for inductor, and makes no code of it: that takes minutes of a CPU


def backend_of(settings: Settings) -> str:
    """What torch.compile makes code with: inductor, but in a dry run."""
    return DRY if settings.size == "tiny" else "inductor"


def measure(settings: Settings) -> Iterator[Number]:
    """The loss in float32, then the time of a forward and backward in bfloat16."""
    settings = replace(settings, dropout=0.0)
    torch.manual_seed(settings.seed)
    backbone = random_backbone(settings).train()
    batch = {k: v.to(settings.device) for k, v in backbone.collate(pairs(settings)).items()}
    expected = _step(backbone, batch, settings, "float32")
    eager = median_of(
        lambda: _step(backbone, batch, settings, "bfloat16"), settings.device, REPEATS
    )
    compile_parts(transformer_parts(backbone), backend_of(settings))
    begun = time.perf_counter()
    found = _step(backbone, batch, settings, "float32")
    wait(settings.device)
    yield told("first step, compilation included", time.perf_counter() - begun, "s")
    yield at_most("loss in float32 differs by (relative)", relative(found, expected), LOSS)
    seconds = median_of(
        lambda: _step(backbone, batch, settings, "bfloat16"), settings.device, REPEATS
    )
    yield told("times as fast in bfloat16, forward and backward", eager / seconds, "")


def _step(
    backbone: T5Backbone, batch: dict[str, torch.Tensor], settings: Settings, dtype: str
) -> float:
    backbone.zero_grad(set_to_none=True)
    with autocast(settings.device, dtype):
        loss = backbone.loss(batch)
    loss.backward()
    return float(loss.detach())
