"""The residual VQ-VAE: several codes a token, of which the first ones alone mean something."""

from unittest import mock

import numpy as np
import pytest
import torch

from motiongpt.codecs.loading import load_codec
from motiongpt.codecs.residual_vq.network import ResidualVQVAE
from motiongpt.codecs.residual_vq.quantizer import (
    EACH_CODEBOOK,
    NO_CODE,
    ResidualQuantizer,
    kept_codebooks,
)
from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.codecs.vq_vae.losses import TokenizerLosses
from motiongpt.codecs.vq_vae.module import TokenizerModule
from motiongpt.errors import UserError
from motiongpt.motion.skeleton import HUMANML3D
from tests.unit.momask_parts import CODEBOOKS, CODES, small_codec, small_network


def clips(*lengths):
    rng = np.random.default_rng(0)
    return [0.1 * rng.standard_normal((length, 263)).astype(np.float32) for length in lengths]


def test_a_clip_is_several_codes_a_token_whatever_is_beside_it():
    codec, given = small_codec(), clips(40, 64, 23)
    together = codec.encode(given)
    assert [codes.shape for codes in together] == [(10, CODEBOOKS), (16, CODEBOOKS), (5, CODEBOOKS)]
    for clip, codes in zip(given, together, strict=True):
        (alone,) = codec.encode([clip])
        np.testing.assert_array_equal(alone, codes)
    decoded = codec.decode(together)
    (alone,) = codec.decode(together[2:])
    np.testing.assert_allclose(decoded[2], alone, atol=1e-6)
    assert [len(motion) for motion in codec.reconstruct(given)] == [40, 64, 23]


def test_each_codebook_takes_what_the_others_leave():
    network = small_network().eval()
    torch.manual_seed(0)
    latents = network.encoder(torch.randn(4, 263, 32)).transpose(1, 2).detach()
    codes = network.quantizer.nearest(latents)
    left = [
        (latents - network.quantizer.look_up(codes[..., :count])).square().mean().item()
        for count in range(1, CODEBOOKS + 1)
    ]
    assert left == sorted(left, reverse=True) and left[-1] < left[0]
    lacking = codes.clone()
    lacking[..., 1:] = NO_CODE
    assert torch.equal(
        network.quantizer.look_up(lacking), network.quantizer.look_up(codes[..., :1])
    )


def test_dropout_leaves_out_the_last_codebooks_and_they_do_not_learn():
    network = small_network().train()
    before = [layer.codebook.clone() for layer in network.quantizer.layers]
    with mock.patch.object(network.quantizer, "in_use", return_value=1):
        output = network(torch.randn(8, 64, 263))
    assert (output.codes[..., 1:] == NO_CODE).all() and (output.codes[..., 0] >= 0).all()
    learnt = [
        not torch.equal(layer.codebook, old)
        for layer, old in zip(network.quantizer.layers, before, strict=True)
    ]
    assert learnt == [True, False, False]
    torch.manual_seed(0)
    counts = [network.quantizer.in_use() for _ in range(600)]
    assert set(counts) == {1, 2, 3}
    assert np.mean(np.array(counts) < 3) == pytest.approx(0.2 * 2 / 3, abs=0.04)
    assert network.quantizer.eval().in_use() == 3
    assert kept_codebooks(0.1, 0, 3, 0.2) == 1 and kept_codebooks(0.2, 0, 3, 0.2) == 3


def test_training_draws_codes_and_evaluation_takes_the_nearest():
    network = small_network()
    rows = torch.randn(50, 16)
    layer = network.quantizer.layers[0]
    nearest = layer.eval().nearest(rows)
    torch.manual_seed(0)
    drawn = layer.train().nearest(rows)
    assert (drawn != nearest).any() and torch.equal(layer.eval().nearest(rows), nearest)
    layer.temperature = 0.0
    assert torch.equal(layer.train().nearest(rows), nearest)


def test_the_gradient_passes_once_or_as_often_as_there_are_codebooks():
    gradients = {}
    for gradient in ("once", EACH_CODEBOOK):
        torch.manual_seed(0)
        quantizer = ResidualQuantizer(3, 4, 5, temperature=0.0, dropout=0.0, gradient=gradient)
        latents = torch.randn(2, 5, 6, requires_grad=True)
        quantizer(latents).vectors.sum().backward()
        gradients[gradient] = latents.grad
    assert torch.allclose(gradients["once"], torch.ones(2, 5, 6))
    assert torch.allclose(gradients[EACH_CODEBOOK], torch.full((2, 5, 6), 3.0))


def test_what_is_beyond_a_clip_changes_nothing():
    network = small_network(temperature=0.0, codebook_dropout=0.0, dropout=0.0)
    features = torch.randn(3, 32, 263)
    lengths = torch.tensor([32, 20, 9])
    other = features.clone()
    for row, length in zip(other, lengths, strict=True):
        row[length:] = float("nan")
    found = []
    for given in (features, other):
        copied = small_network(temperature=0.0, codebook_dropout=0.0, dropout=0.0)
        found.append(copied.train()(given, lengths))
        found[-1] = (found[-1], copied.state_dict())
    (first, state), (second, same) = found
    assert torch.equal(first.commitment, second.commitment)
    for name, tensor in state.items():
        assert torch.equal(tensor, same[name]), name
    assert torch.equal(first.codes, second.codes)
    assert network.encode(features, lengths)[2, 2:].eq(0).all()


def test_it_is_saved_and_opened_and_not_taken_for_a_codec_of_one_codebook(tmp_path):
    codec = small_codec()
    codec.save(tmp_path)
    given = clips(20)
    for opened in (load_codec(tmp_path), TrainedTokenizer.load(tmp_path, codebooks=None)):
        assert isinstance(opened.network, ResidualVQVAE)
        assert opened.network.arguments() == codec.network.arguments()
        np.testing.assert_array_equal(opened.encode(given)[0], codec.encode(given)[0])
    with pytest.raises(UserError, match="codebooks expected 1, found 3"):
        TrainedTokenizer.load(tmp_path)


def test_codes_that_there_are_not_are_refused():
    codec = small_codec()
    with pytest.raises(UserError, match="clip 0: code 12 at token 1 .* expected -1 to 11"):
        codec.decode([np.array([[0, 1, 2], [0, CODES, 1]])])
    with pytest.raises(UserError, match="for each of 3 codebooks"):
        codec.decode([np.array([0, 1])])
    with pytest.raises(UserError, match="code 99 at token 0; the codebook has 12 codes: -1 to 11"):
        codec.network.decode(torch.full((1, 2, 3), 99))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"codebooks": 0}, "codebooks is 0"),
        ({"frames_per_token": 3}, "choose one of: 1, 2, 4, 8"),
        ({"codebook_size": 0}, "codebook_size is 0"),
        ({"gradient": "twice"}, "choose one of: once, each_codebook"),
        ({"codebook_dropout": 2.0}, "codebook_dropout=2.0"),
        ({"temperature": -1.0}, "temperature=-1.0"),
    ],
)
def test_sizes_that_there_are_not_are_refused(changes, said):
    with pytest.raises(UserError, match=said):
        ResidualVQVAE(263, **{"width": 8, "code_dim": 8, **changes})


def test_a_validation_counts_the_codes_of_every_codebook():
    network = small_network().eval()
    module = TokenizerModule(
        network, TokenizerLosses(HUMANML3D), HUMANML3D, torch.zeros(263), torch.ones(263), str
    )
    logged = {}
    module.log = lambda name, value, **_: logged.__setitem__(name, float(value))
    features = torch.randn(4, 32, 263)
    module.on_validation_epoch_start()
    module.validation_step({"features": features, "lengths": None}, 0)
    module.on_validation_epoch_end()
    codes = network.encode(features).flatten(0, 1)
    used = sum(len(codes[:, q].unique()) for q in range(CODEBOOKS))
    assert logged["val/codebook_usage"] == pytest.approx(used / (CODEBOOKS * CODES))
    shares = [codes[:, q].bincount(minlength=CODES) / len(codes) for q in range(CODEBOOKS)]
    entropies = [torch.special.entr(share).sum().exp().item() for share in shares]
    assert logged["val/perplexity"] == pytest.approx(np.mean(entropies), rel=1e-4)


@pytest.mark.slow
def test_it_learns_32_clips_by_heart_better_with_every_codebook():
    torch.manual_seed(0)
    time = torch.linspace(0, 6, 32)[None, :, None]
    features = torch.sin(time * torch.rand(32, 1, 263) + 6 * torch.rand(32, 1, 263))
    sizes = {"codebooks": 3, "codebook_size": 32, "code_dim": 32, "width": 48, "depth": 1}
    network = ResidualVQVAE(263, dropout=0.0, **sizes)
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3)
    losses = TokenizerLosses(HUMANML3D)
    for _ in range(300):
        loss = losses(network(features), features)["total"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    network.eval()
    codes = network.encode(features)
    error = [
        (network.decode(codes[..., :count]) - features).square().mean().item()
        for count in (1, 2, 3)
    ]
    assert error[0] > error[1] > error[2]
    assert error[2] < 0.35 * features.var().item()
