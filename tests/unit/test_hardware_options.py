"""Options of trainer.hardware that cost time or memory and never change a result."""

import pytest
import torch

from motiongpt.backbones.gpt2 import GPT2Backbone
from motiongpt.backbones.t5 import T5Backbone
from motiongpt.codecs.vq_vae.network import VQVAE
from motiongpt.codecs.vq_vae.quantizers.ema_reset import EMAResetQuantizer
from motiongpt.methods.motiongpt.training.language_batch import collate_parts
from motiongpt.methods.motiongpt.training.language_model_cost import transformer_parts
from motiongpt.training.compilation import compile_parts
from tests.unit.test_accumulation import EXAMPLES, backbone_of

KINDS = pytest.mark.parametrize("kind", [T5Backbone, GPT2Backbone])


class Kept:
    """Counts the numbers that the forward keeps for the backward, weights left out."""

    def __init__(self, module):
        self.weights = {value.data_ptr() for value in module.parameters()}
        self.count = 0

    def __call__(self, values):
        if values.data_ptr() not in self.weights:
            self.count += values.numel()
        return values


def loss_and_gradients(backbone):
    kept = Kept(backbone)
    with torch.autograd.graph.saved_tensors_hooks(kept, lambda values: values):
        loss = backbone.loss(collate_parts(EXAMPLES, backbone).parts[0])
    loss.backward()
    return loss, {n: p.grad for n, p in backbone.named_parameters()}, kept.count


@KINDS
def test_activations_computed_twice_give_the_same_gradients_and_are_not_kept(kind):
    plain, twice = backbone_of(kind), backbone_of(kind)
    twice.language_model.gradient_checkpointing_enable({"use_reentrant": False})
    loss, gradients, kept = loss_and_gradients(plain)
    loss_twice, gradients_twice, kept_twice = loss_and_gradients(twice)
    assert torch.equal(loss, loss_twice)
    torch.testing.assert_close(gradients_twice, gradients, rtol=1e-6, atol=1e-8)
    assert kept_twice < 0.6 * kept


@pytest.mark.slow
@KINDS
def test_compiled_parts_give_the_same_and_are_saved_under_the_same_names(kind, tmp_path):
    plain, compiled = (backbone_of(kind, layers=1) for _ in range(2))
    compile_parts(transformer_parts(compiled), backend="aot_eager")
    loss, gradients, _ = loss_and_gradients(plain)
    loss_compiled, gradients_compiled, _ = loss_and_gradients(compiled)
    torch.testing.assert_close(loss_compiled, loss)
    torch.testing.assert_close(gradients_compiled, gradients)
    assert compiled.state_dict().keys() == plain.state_dict().keys()
    compiled.save(tmp_path / "saved")
    loaded = kind.load(tmp_path / "saved")
    torch.testing.assert_close(loaded.state_dict(), plain.state_dict(), rtol=0, atol=0)


@pytest.mark.slow  # compiles for some lengths
def test_a_compiled_tokenizer_codes_clips_of_any_length_alike():
    torch.manual_seed(0)
    plain = VQVAE(20, EMAResetQuantizer, codebook_size=8, code_dim=16, width=16)
    plain(torch.randn(3, 24, 20))
    compiled = VQVAE(20, EMAResetQuantizer, codebook_size=8, code_dim=16, width=16)
    compile_parts(compiled.compiled_parts(), backend="aot_eager")
    compiled.load_state_dict(plain.state_dict())
    for frames in (24, 36, 52):
        features = torch.randn(2, frames, 20)
        lengths = torch.tensor([frames, 9])
        assert torch.equal(compiled.encode(features, lengths), plain.encode(features, lengths))
        found, expected = (one(features, lengths).features for one in (compiled, plain))
        torch.testing.assert_close(found, expected)


@pytest.mark.long
@pytest.mark.slow
def test_the_compiler_itself_gives_the_same_on_rows_of_several_lengths():
    plain, compiled = (backbone_of(T5Backbone, layers=1) for _ in range(2))
    compile_parts(transformer_parts(compiled))
    for size in (3, 5, 8):
        batches = [collate_parts(EXAMPLES[:size], one).parts[0] for one in (plain, compiled)]
        losses = [one.loss(batch) for one, batch in zip((plain, compiled), batches, strict=True)]
        torch.testing.assert_close(losses[1], losses[0], rtol=1e-5, atol=1e-6)
        losses[1].backward()
