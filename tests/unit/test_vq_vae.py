import json
from functools import partial

import pytest
import torch

from motiongpt.codecs.vq_vae.decoder import convolve_doubled
from motiongpt.codecs.vq_vae.network import VQVAE
from motiongpt.codecs.vq_vae.original_names import from_original_state_dict, load_original
from motiongpt.codecs.vq_vae.quantizers.ema_reset import EMAResetQuantizer
from motiongpt.codecs.vq_vae.quantizers.standard import StandardQuantizer
from motiongpt.errors import UserError
from tests.shared import parity

FEATURES = 11


def make(frames_per_token: int = 4, quantizer=StandardQuantizer, **sizes) -> VQVAE:
    torch.manual_seed(0)
    sizes = {"codebook_size": 32, "code_dim": 12, "width": 16, "depth": 3} | sizes
    return VQVAE(FEATURES, quantizer, frames_per_token, **sizes)


def trained_codebook(tokenizer: VQVAE) -> VQVAE:
    """Spread the codes over what the encoder gives, so that many are in use."""
    with torch.no_grad():
        latents = tokenizer.encoder(torch.randn(4, FEATURES, 200)).transpose(1, 2).flatten(0, 1)
        tokenizer.quantizer.codebook.copy_(latents[:: len(latents) // 32][:32])
    return tokenizer.eval()


@pytest.mark.parametrize("frames_per_token", [1, 2, 4, 8])
@torch.no_grad()
def test_a_clip_in_a_batch_is_what_it_is_alone(frames_per_token):
    tokenizer = trained_codebook(make(frames_per_token))
    lengths = torch.randint(frames_per_token, 97, (12,))
    lengths[:3] = torch.tensor([97, frames_per_token, 2 * frames_per_token - 1])
    features = torch.full((12, 97, FEATURES), float("nan"))
    clips = [torch.randn(n, FEATURES) for n in lengths.tolist()]
    for row, clip in zip(features, clips, strict=True):
        row[: len(clip)] = clip
    codes = tokenizer.encode(features, lengths)
    decoded = tokenizer.decode(codes, lengths // frames_per_token)
    assert decoded.shape == (12, codes.shape[1] * frames_per_token, FEATURES)
    for index, clip in enumerate(clips):
        tokens = len(clip) // frames_per_token
        alone = tokenizer.encode(clip[None])
        assert alone.shape == (1, tokens)
        assert torch.equal(codes[index, :tokens], alone[0])
        assert (codes[index, tokens:] == 0).all()
        frames = tokens * frames_per_token
        torch.testing.assert_close(
            decoded[index, :frames], tokenizer.decode(alone)[0], atol=1e-5, rtol=0
        )
        assert (decoded[index, frames:] == 0).all()
    assert codes.unique().numel() > 8


def test_training_sees_no_padding():
    lengths = torch.tensor([40, 23, 31])
    clips = torch.randn(3, 40, FEATURES)
    results = []
    for padding in (0.0, 1e3):
        tokenizer = make(quantizer=EMAResetQuantizer, codebook_size=8).train()
        features = clips.clone()
        for row, length in zip(features, lengths, strict=True):
            row[length:] = padding
        output = tokenizer(features, lengths)
        output.features.sum().backward()
        gradients = [p.grad for p in tokenizer.parameters()]
        results.append((output, gradients, tokenizer.quantizer.state_dict()))
    (one, one_gradients, one_state), (two, two_gradients, two_state) = results
    assert torch.equal(one.features, two.features)
    assert torch.equal(one.commitment, two.commitment)
    assert one.lengths.tolist() == [40, 20, 28]
    assert all(map(torch.equal, one_gradients, two_gradients))
    assert all(torch.equal(one_state[name], two_state[name]) for name in one_state)
    # 22 valid tokens chose among the codes, once each at first: 0.99 * 8 + 0.01 * 22.
    torch.testing.assert_close(one_state["code_count"].sum(), torch.tensor(8.14))


def test_lengths_of_full_clips_change_nothing():
    tokenizer = trained_codebook(make())
    features = torch.randn(2, 64, FEATURES)
    plain, with_lengths = tokenizer(features), tokenizer(features, torch.tensor([64, 64]))
    assert torch.equal(plain.features, with_lengths.features)
    torch.testing.assert_close(plain.commitment, with_lengths.commitment)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"frames_per_token": 3}, ["3", "1, 2, 4, 8"]),
        ({"activation": "tanh"}, ["tanh", "relu, silu, gelu"]),
        ({"codebook_size": 0}, ["codebook_size", "0"]),
    ],
)
def test_impossible_sizes_are_refused_with_the_valid_ones(arguments, words):
    with pytest.raises(UserError) as error:
        make(**arguments)
    assert all(word in str(error.value) for word in words)


def test_bad_batches_are_refused_by_index():
    tokenizer = make().eval()
    with pytest.raises(UserError, match=r"clip 1 .* 3 frames"):
        tokenizer.encode(torch.zeros(2, 8, FEATURES), torch.tensor([8, 3]))
    with pytest.raises(UserError, match=r"clip 0 .* 9 frames"):
        tokenizer.encode(torch.zeros(2, 8, FEATURES), torch.tensor([9, 8]))
    with pytest.raises(UserError, match=r"clip 0 .* 3 frames"):
        tokenizer(torch.zeros(2, 3, FEATURES))
    with pytest.raises(UserError, match=r"clip 1 .* code 32 at token 2"):
        tokenizer.decode(torch.tensor([[0, 1, 2], [0, 31, 32]]))
    with pytest.raises(UserError, match="code -1"):
        tokenizer.decode(torch.tensor([[-1]]))


@pytest.mark.parametrize("quantizer", [StandardQuantizer, partial(EMAResetQuantizer, decay=0.9)])
def test_arguments_rebuild_the_tokenizer(quantizer):
    tokenizer = make(frames_per_token=2, quantizer=quantizer, activation="silu")
    again = VQVAE.from_arguments(json.loads(json.dumps(tokenizer.arguments())))
    assert again.arguments() == tokenizer.arguments()
    again.load_state_dict(tokenizer.state_dict())


def test_released_weights_fit_by_name_and_shape():
    shapes = json.loads(parity("vq/default_state_dict_shapes.json").read_text())
    with torch.device("meta"):
        tokenizer = VQVAE(263, EMAResetQuantizer)
        released = {"vae." + name: torch.empty(shape) for name, shape in shapes.items()}
    renamed = from_original_state_dict(released, prefix="vae.")
    expected = {name: tensor.shape for name, tensor in tokenizer.state_dict().items()}
    assert {name: tensor.shape for name, tensor in renamed.items()} == expected
    assert sum(p.numel() for p in tokenizer.parameters()) == 19_436_807


def test_released_weights_of_another_shape_are_refused_by_name():
    tokenizer = make(quantizer=StandardQuantizer)
    with pytest.raises(UserError, match=r"decoder\.hidden_convolution\.bias"):
        load_original(tokenizer, {"quantizer.embedding.weight": torch.zeros(32, 12)})
    with pytest.raises(UserError, match=r"encoder\.model\.7\.weight"):
        from_original_state_dict({"encoder.model.7.weight": torch.zeros(1)})


def test_a_few_clips_can_be_learnt_by_heart():
    tokenizer = make(quantizer=EMAResetQuantizer, codebook_size=16, width=32).train()
    time = torch.linspace(0, 6, 32)[None, :, None]
    features = torch.sin(time * torch.rand(4, 1, FEATURES) * 3 + torch.arange(4.0)[:, None, None])
    optimizer = torch.optim.AdamW(tokenizer.parameters(), lr=3e-3)
    losses = []
    for _ in range(100):
        output = tokenizer(features)
        loss = torch.nn.functional.mse_loss(output.features, features) + 0.02 * output.commitment
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.1 * losses[0]
    assert output.perplexity > 8


@pytest.mark.parametrize("length", [1, 2, 7])
def test_convolving_doubled_positions_is_doubling_them_and_convolving(length):
    convolution = torch.nn.Conv1d(5, 4, 3, padding=1).double()
    hidden = torch.randn(3, 5, length, dtype=torch.float64, requires_grad=True)
    doubled = convolution(hidden.repeat_interleave(2, dim=2))
    found = convolve_doubled(hidden, convolution)
    torch.testing.assert_close(found, doubled)
    weights = torch.randn_like(doubled)
    wanted = (hidden, *convolution.parameters())
    expected = torch.autograd.grad((doubled * weights).sum(), wanted)
    torch.testing.assert_close(torch.autograd.grad((found * weights).sum(), wanted), expected)
