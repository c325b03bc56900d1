"""Generation on a GPU: the CPU's tokens, repeatable, whatever else is in the batch."""

from dataclasses import replace

import pytest
import torch

from motiongpt.methods.motiongpt.generation.decoding import Decoding
from motiongpt.methods.motiongpt.generation.generate import generate
from motiongpt.methods.motiongpt.generation.precision import fastest_precision
from tests.benchmarks.speed.language import prompts, random_backbone
from tests.benchmarks.speed.part import Settings

pytestmark = [pytest.mark.gpu, pytest.mark.timeout(120)]
TINY = Settings(size="tiny", dropout=0.0)
CODES = 20


def made(device, precision="float32", strategy="sampling", rows=None):
    torch.manual_seed(0)
    backbone = random_backbone(TINY).eval().to(device)
    asked = prompts(replace(TINY, seed=1))[:rows]
    decoding = Decoding(strategy=strategy, precision=precision)
    return generate(backbone, asked, "motion", decoding, [CODES] * len(asked), 7)


@pytest.mark.parametrize("strategy", ["sampling", "greedy"])
def test_float32_gives_the_cpus_tokens(device, strategy):
    assert made(device, strategy=strategy) == made("cpu", strategy=strategy)


def test_the_same_again_and_alone(device):
    whole = made(device)
    assert whole == made(device) and made(device, rows=1) == whole[:1]


def test_bfloat16_gives_as_many_tokens(device):
    found = made(device, "bfloat16")
    assert [row.count("<") for row in found] == [CODES + 2] * len(found)


def test_wide_models_generate_in_the_gpus_own_bfloat16(device):
    native = torch.cuda.is_bf16_supported(including_emulation=False)
    expected = "bfloat16" if native else "float32"
    assert fastest_precision(torch.device(device), 768) == expected
