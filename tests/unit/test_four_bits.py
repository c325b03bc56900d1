"""Frozen weights of 4 bits: read, trained beside, saved, merged. On a GPU, or by bitsandbytes' CPU
part without its packing, which can't train on (0.50.2)."""

from importlib.util import find_spec

import pytest
import torch

from motiongpt.backbones import causal
from motiongpt.backbones.adapters import LoRA, four_bits
from motiongpt.backbones.causal import CausalBackbone
from motiongpt.backbones.loading import load_backbone, load_merged_backbone
from motiongpt.methods.motiongpt.generation.decoding import Decoding
from motiongpt.methods.motiongpt.generation.generate import generate
from tests.unit.causal_folders import published
from tests.unit.test_causal import EXAMPLES, LIMITS, K, trained
from tests.unit.test_generation_loop import COUNTS, KINDS, PROMPTS

pytestmark = pytest.mark.skipif(
    find_spec("bitsandbytes") is None, reason='no bitsandbytes: pip install -e ".[four-bits]"'
)
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
# Its blocks of 64 numbers need more than the widths of test_causal.
WIDE = {
    "llama": {"hidden_size": 128, "intermediate_size": 192},
    "qwen2": {"hidden_size": 128, "intermediate_size": 192},
    "gpt2": {"n_embd": 128},
}


@pytest.fixture(autouse=True)
def on_this_device(monkeypatch):
    if DEVICE == "cpu":
        monkeypatch.setattr("bitsandbytes.nn.modules.has_avx512bf16", lambda: False)
        exact = causal.reading_options
        monkeypatch.setattr(
            causal,
            "reading_options",
            lambda base: four_bits("cpu") if base == "nf4" else exact(base),
        )


def backbone_of(folder, **options):
    torch.manual_seed(1)
    return CausalBackbone.pretrained(str(folder), K, **LIMITS, **options).to(DEVICE)


def loss_of(backbone):
    batch = {name: value.to(DEVICE) for name, value in backbone.collate(EXAMPLES).items()}
    with torch.no_grad():
        return float(backbone.loss(batch))


@pytest.mark.parametrize("kind", WIDE)
def test_adapters_are_trained_beside_weights_of_four_bits(kind, tmp_path):
    folder = published(tmp_path / kind, kind, **WIDE[kind])
    backbone = backbone_of(folder, lora=LoRA(rank=2, base="nf4"))
    layers = [type(one).__name__ for one in backbone.language_model.modules()]
    assert layers.count("Linear4bit") >= 8
    begun = loss_of(backbone)
    assert begun == pytest.approx(loss_of(backbone_of(folder)), rel=0.02)  # as of exact weights
    frozen = {n: p.clone() for n, p in backbone.named_parameters() if not p.requires_grad}
    trained(backbone)
    assert loss_of(backbone) < 0.7 * begun
    assert all(p.equal(frozen[n]) for n, p in backbone.named_parameters() if n in frozen)
    backbone.save(tmp_path / "saved")
    assert loss_of(load_backbone(tmp_path / "saved", K).to(DEVICE)) == loss_of(backbone)
    merged = load_merged_backbone(tmp_path / "saved", K).to(DEVICE)
    assert {p.dtype for p in merged.parameters()} == {torch.float32}
    assert loss_of(merged) == pytest.approx(loss_of(backbone), rel=0.05)
    greedy = Decoding("greedy", max_text_tokens=12)
    made = generate(merged, PROMPTS, KINDS, greedy, COUNTS, max_motion_tokens=12)
    assert len(made) == len(PROMPTS)
