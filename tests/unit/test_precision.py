"""Half precision where it is fast, float32 where it matters."""

import copy

import pytest
import torch

from motiongpt.backbones.gpt2 import GPT2Backbone
from motiongpt.backbones.t5 import T5Backbone
from motiongpt.codecs.vq_vae.losses import TokenizerLosses
from motiongpt.codecs.vq_vae.network import VQVAE
from motiongpt.codecs.vq_vae.quantizers.ema_reset import EMAResetQuantizer
from motiongpt.methods.motiongpt.training.half_range import widen_feed_forward
from motiongpt.methods.motiongpt.training.language_batch import collate_parts
from motiongpt.motion.skeleton import HUMANML3D
from tests.unit.test_accumulation import EXAMPLES, backbone_of
from tests.unit.test_tokenizer_module import module_for

HALVES = pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])


@HALVES
@pytest.mark.parametrize("kind", [T5Backbone, GPT2Backbone])
def test_losses_of_language_models_are_float32_under_autocast(kind, dtype):
    backbone = backbone_of(kind)
    batch = collate_parts(EXAMPLES, backbone).parts[0]
    expected = backbone.loss(batch)
    with torch.autocast("cpu", dtype):
        logits, _ = backbone.logits(batch)
        loss = backbone.loss(batch)
    assert logits.dtype == dtype and loss.dtype == torch.float32
    assert loss.item() == pytest.approx(expected.item(), rel=2e-3)
    loss.backward()
    assert all(value.grad.isfinite().all() for value in backbone.parameters())


@pytest.mark.parametrize("kind", [T5Backbone, GPT2Backbone])
def test_a_model_in_bfloat16_still_has_a_float32_loss(kind):
    backbone = backbone_of(kind)
    batch = collate_parts(EXAMPLES, backbone).parts[0]
    expected = backbone.loss(batch).item()
    loss = backbone.bfloat16().loss(batch)
    assert loss.dtype == torch.float32 and loss.item() == pytest.approx(expected, rel=5e-3)


def test_float16_does_not_overflow_in_t5s_feed_forward_layers():
    backbone = backbone_of(T5Backbone)
    batch = collate_parts(EXAMPLES, backbone).parts[0]
    with torch.no_grad():
        for name, value in backbone.named_parameters():
            if name.endswith("wo.weight"):
                value.mul_(3e6)
    expected = backbone.loss(batch)
    assert expected.isfinite()
    with torch.autocast("cpu", torch.float16):
        assert not backbone.loss(batch).isfinite()  # what transformers gives
        widen_feed_forward(backbone.language_model)
        loss = backbone.loss(batch)
    assert loss.item() == pytest.approx(expected.item(), rel=5e-3)
    torch.testing.assert_close(backbone.loss(batch), expected, rtol=0, atol=0)


def trained(precision: str, steps: int = 2) -> tuple[VQVAE, list[float]]:
    torch.manual_seed(0)
    tokenizer = VQVAE(263, EMAResetQuantizer, codebook_size=8, code_dim=16, width=16).train()
    losses = TokenizerLosses(HUMANML3D)
    features = torch.randn(6, 32, 263)
    if precision == "bf16-true":
        tokenizer, features = tokenizer.bfloat16(), features.bfloat16()
    optimizer = torch.optim.AdamW(tokenizer.parameters(), lr=1e-3, fused=True)
    found = []
    for _ in range(steps):
        dtype = torch.float16 if precision == "16-mixed" else torch.bfloat16
        with torch.autocast("cpu", dtype, enabled=precision.endswith("mixed")):
            parts = losses(tokenizer(features, torch.tensor([32, 32, 20, 8, 32, 32])), features)
        assert all(value.dtype == torch.float32 for value in parts.values())
        optimizer.zero_grad()
        parts["total"].backward()
        optimizer.step()
        found.append(parts["total"].item())
    return tokenizer, found


@pytest.mark.parametrize("precision", ["bf16-mixed", "16-mixed", "bf16-true"])
def test_the_codebook_learns_in_float32_whatever_the_convolutions_are(precision):
    tokenizer, losses = trained(precision)
    quantizer = tokenizer.quantizer
    for name in ("codebook", "code_sum", "code_count"):
        values = getattr(quantizer, name)
        assert values.dtype == torch.float32, name
    # A sum in bfloat16 would have no more than 8 bits: here some numbers need more.
    assert not torch.equal(quantizer.code_sum, quantizer.code_sum.bfloat16().float())
    assert losses == pytest.approx(trained("32-true")[1], rel=0.02)
    half = torch.bfloat16 if precision == "bf16-true" else torch.float32
    assert tokenizer.encoder.input_convolution.weight.dtype == half


def test_distances_are_float32_under_autocast():
    tokenizer, _ = trained("32-true")
    codes = torch.arange(8)
    # Neighbours that differ by less than bfloat16 can tell.
    tokenizer.quantizer.codebook.copy_(1 + codes[:, None] * 1e-3 * torch.ones(16))
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(tokenizer.quantizer.nearest(tokenizer.quantizer.codebook), codes)


def test_moving_a_module_keeps_its_float32_numbers_as_they_are():
    tokenizer, _ = trained("32-true")
    before = copy.deepcopy(tokenizer.quantizer.state_dict())
    after = tokenizer.to(torch.bfloat16).quantizer.state_dict()
    torch.testing.assert_close(after, before, rtol=0, atol=0)
    module = module_for(tokenizer, mean=0.3, std=1 / 3).to(torch.bfloat16)
    assert module.std.dtype == torch.float32 and torch.equal(module.std, torch.full((263,), 1 / 3))
    assert tokenizer.to("meta").quantizer.codebook.device.type == "meta"
