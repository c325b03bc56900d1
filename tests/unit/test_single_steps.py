"""Single steps of decoding: weights laid out for them give what the model gives."""

from types import SimpleNamespace

import pytest
import torch
from transformers import T5Config, T5ForConditionalGeneration

from motiongpt.backbones.steps import product
from motiongpt.backbones.steps.t5 import T5Steps
from motiongpt.methods.motiongpt.generation.precision import fastest_precision


def test_untied_embeddings_are_not_scaled():
    sizes = {"vocab_size": 40, "d_model": 16, "d_kv": 4, "d_ff": 24, "num_layers": 1}
    sizes |= {"num_heads": 2, "num_decoder_layers": 2, "decoder_start_token_id": 0}
    for tied in (True, False):
        config = T5Config(**sizes, tie_word_embeddings=tied)
        torch.manual_seed(1)
        model = T5ForConditionalGeneration(config).eval()
        inputs = {"input_ids": torch.tensor([[5, 6, 7], [8, 1, 0]])}
        inputs["attention_mask"] = torch.tensor([[1, 1, 1], [1, 1, 0]])
        with torch.no_grad():
            steps = T5Steps(model, "float32")
            state = steps.start(inputs, 3)
            for tokens in ([3, 9], [4, 11]):
                state.append(torch.tensor(tokens))
            found = steps.head(torch.arange(40))(state.hidden)
            decoded = torch.tensor([[0, 3, 4], [0, 9, 11]])
            expected = model(**inputs, decoder_input_ids=decoded).logits[:, -1]
        assert torch.allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("packed", [True, False])
def test_products_with_weights_laid_out_are_products(dtype, packed, monkeypatch):
    if not packed:
        monkeypatch.setattr(product, "_can_pack", lambda dtype: False)
    for outputs, inputs in ((515, 64), (7, 5), (96, 48)):
        weight = torch.randn(outputs, inputs)
        multiply = product.product(weight, dtype)
        for rows in (1, 5, 33):
            values = torch.randn(rows, inputs).to(dtype)
            expected = values.double() @ weight.to(dtype).double().T
            allowed = 1e-5 if dtype == torch.float32 else 2e-2
            assert (multiply(values).double() - expected).abs().max() < allowed * expected.std()


@pytest.mark.parametrize("absent", product.PRIVATE)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_torch_without_a_private_operation_takes_the_plain_product(absent, dtype, monkeypatch):
    there = {name: getattr(torch.ops.mkldnn, name) for name in product.PRIVATE if name != absent}
    monkeypatch.setattr(torch.ops, "mkldnn", SimpleNamespace(**there), raising=False)
    weight, values = torch.randn(7, 5).to(dtype), torch.randn(3, 5).to(dtype)
    multiply = product.product(weight, dtype)
    assert multiply.func is torch.nn.functional.linear
    assert torch.equal(multiply(values), torch.nn.functional.linear(values, weight))


def test_a_torch_that_does_not_know_the_cpu_computes_in_float32(monkeypatch):
    monkeypatch.setattr(torch, "cpu", SimpleNamespace())
    assert fastest_precision(torch.device("cpu"), width=768) == "float32"
    monkeypatch.setattr(torch, "cpu", SimpleNamespace(_is_amx_tile_supported=lambda: True))
    assert fastest_precision(torch.device("cpu"), width=768) == "bfloat16"
