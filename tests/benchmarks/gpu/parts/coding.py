"""The VQ-VAE's coding of many clips together, beside the original's one clip at a time."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from motiongpt.full_float32 import full_float32
from tests.benchmarks.gpu.number import Number, at_most, ratio, told
from tests.benchmarks.gpu.parts.parity import CODES
from tests.benchmarks.gpu.timing import median_of
from tests.benchmarks.speed.part import ORIGINAL, Settings
from tests.benchmarks.speed.parts.tokenizer_coding import TokenizerCoding
from tests.benchmarks.speed.process import peak_memory

TITLE = "VQ-VAE, encode and decode: all clips together, and one at a time"
TIMES_AS_FAST = 10.0
REPEATS = 5


def measure(settings: Settings) -> Iterator[Number]:
    """Medians of each way, in float32 without TF32, and their ratio."""
    part = TokenizerCoding(settings)
    seconds: dict[str, float] = {}
    found: dict[str, Any] = {}
    for side in part.sides:
        torch.manual_seed(settings.seed)
        work = part.work(side.name, Path())
        with full_float32():
            seconds[side.name] = median_of(work, settings.device, REPEATS, warm_up=1)
            found[side.name] = part.findings(work())["codes"]
        rate = part.units() / seconds[side.name]
        yield told(f"{side.name}: {side.text}", rate, "clips/s")
    differ = (found["ours"] != found[ORIGINAL]).mean()
    yield at_most("share of codes that differ", differ, CODES)
    yield ratio("times as fast", seconds[ORIGINAL] / seconds["ours"], TIMES_AS_FAST, settings)
    yield told("most memory", peak_memory(settings.device) / 2**20, "MiB")
