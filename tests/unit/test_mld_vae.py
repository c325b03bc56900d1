import json

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf

from launch.composition.build import build
from motiongpt.codecs.mld_vae.network import MLDVAE
from motiongpt.codecs.mld_vae.original_names import (
    from_original_state_dict,
    load_original,
    original_sizes,
)
from motiongpt.codecs.mld_vae.skip_transformer import skip_encoder
from motiongpt.errors import UserError
from tests.shared import ROOT, parity, shared

PAPER_PARAMETERS = 18_032_135


def small(**changes) -> MLDVAE:
    torch.manual_seed(0)
    sizes = {"width": 32, "feed_forward": 48, "layers": 3, "positions": 40} | changes
    return MLDVAE(11, **sizes).eval()


def clips(*lengths: int) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    return torch.randn(len(lengths), max(lengths), 11), torch.tensor(lengths)


def test_it_is_as_large_as_the_papers():
    described = OmegaConf.load(ROOT / "conf" / "codec" / "mld_vae.yaml")
    with torch.device("meta"):
        network = build(described)(n_features=263)
    assert sum(p.numel() for p in network.parameters()) == PAPER_PARAMETERS
    assert network.longest == 498


def test_names_and_shapes_are_those_of_a_released_checkpoint():
    facts = json.loads(parity("methods/mld/facts.json").read_text())
    released = {
        name: torch.empty(shape, device="meta")
        for name, shape in facts["state_dict_shapes"]["vae"].items()
    }
    with torch.device("meta"):
        network = MLDVAE(**original_sizes(released, "vae."))
    renamed = from_original_state_dict(released, "vae.")
    assert {n: t.shape for n, t in renamed.items()} == {
        n: t.shape for n, t in network.state_dict().items()
    }


@torch.no_grad()
def test_it_gives_what_the_original_gives():
    folder = shared("parity", "methods", "mld")
    weights = {n: torch.from_numpy(a) for n, a in np.load(folder / "weights.npz").items()}
    network = MLDVAE(**original_sizes(weights, "vae.")).eval()
    load_original(network, weights, "vae.")
    expected = {n: torch.from_numpy(a) for n, a in np.load(folder / "vae.npz").items()}
    found = network.encode(expected["features"], expected["lengths"])
    decoded = network.decode(expected["z_free"].transpose(0, 1), expected["z_free_lengths"])
    torch.testing.assert_close(found.mean.transpose(0, 1), expected["mu"], atol=1e-5, rtol=0)
    torch.testing.assert_close(found.std.transpose(0, 1), expected["std"], atol=1e-5, rtol=0)
    torch.testing.assert_close(decoded, expected["decoded_z_free"], atol=1e-5, rtol=0)


@pytest.mark.parametrize("latent_tokens", [1, 3])
@torch.no_grad()
def test_padding_changes_nothing_and_decoded_padding_is_nought(latent_tokens):
    network = small(latent_tokens=latent_tokens)
    features, lengths = clips(17, 5, 30)
    features[0, 17:], features[1, 5:] = float("nan"), 1e6
    together = network.encode(features, lengths)
    decoded = network.decode(together.mean, lengths)
    assert together.mean.shape == together.std.shape == (3, latent_tokens, 32)
    assert decoded.shape == (3, 30, 11)
    for row, length in enumerate(lengths.tolist()):
        alone = network.encode(features[row : row + 1, :length])
        torch.testing.assert_close(together.mean[row], alone.mean[0], atol=1e-5, rtol=0)
        torch.testing.assert_close(together.std[row], alone.std[0], atol=1e-5, rtol=1e-5)
        frames = network.decode(alone.mean, lengths[row : row + 1])
        torch.testing.assert_close(decoded[row, :length], frames[0], atol=1e-5, rtol=0)
        assert not decoded[row, length:].any() and frames.abs().max() > 0.1


def test_gradients_ignore_padding():
    network = small()
    features, lengths = clips(9, 20)
    features = features.requires_grad_()
    (network.encode(features, lengths).mean ** 2).sum().backward()
    assert not features.grad[0, 9:].any()
    assert features.grad[0, :9].abs().sum() > 0


@torch.no_grad()
def test_frames_are_told_apart_by_their_position():
    network = small()
    features, _ = clips(12)
    forward, backward = network.encode(features), network.encode(features.flip(1))
    assert not torch.allclose(forward.mean, backward.mean, atol=1e-3)


def test_long_skips_reach_from_the_first_block_to_the_last():
    encoder = skip_encoder(5, 16, 2, 32, 0.0, "gelu").eval()
    hidden = torch.randn(2, 4, 16)
    seen = {}

    def keep(name):
        return lambda module, inputs, output: seen.__setitem__(name, (inputs[0], output))

    for name, module in encoder.named_children():
        for index, part in enumerate(module if isinstance(module, torch.nn.ModuleList) else ()):
            part.register_forward_hook(keep(f"{name}.{index}"))
    encoder(hidden)
    first, second = seen["input_blocks.0"][1], seen["input_blocks.1"][1]
    torch.testing.assert_close(seen["linear_blocks.0"][0][..., 16:], second)
    torch.testing.assert_close(seen["linear_blocks.1"][0][..., 16:], first)


@torch.no_grad()
def test_arguments_rebuild_it():
    network = small(latent_tokens=2, heads=8, dropout=0.3, activation="relu")
    arguments = json.loads(json.dumps(network.arguments()))
    again = MLDVAE.from_arguments(arguments)
    again.load_state_dict(network.state_dict())
    features, lengths = clips(8, 6)
    torch.testing.assert_close(
        again.eval().reconstruct(features, lengths), network.reconstruct(features, lengths)
    )
    assert again.arguments() == arguments


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"layers": 4}, "layers is 4"),
        ({"heads": 5}, "5 heads"),
        ({"activation": "tanh"}, "choose gelu or relu"),
        ({"latent_tokens": 0}, "latent_tokens is 0"),
        ({"positions": 2}, "2 positions"),
    ],
)
def test_sizes_that_cannot_be_are_refused(changes, named):
    with pytest.raises(UserError, match=named):
        small(**changes)


def test_clips_without_a_position_for_each_frame_are_refused():
    network = small()
    features, lengths = clips(39)
    with pytest.raises(UserError, match="39 frames; this codec takes at most 38"):
        network.encode(features)
    with pytest.raises(UserError, match="at most 38"):
        network.decode(torch.zeros(1, 1, 32), lengths)


def test_weights_of_something_else_are_refused_by_name():
    with pytest.raises(UserError, match=r"expected MLD's released VAE \(vae.skel_embedding.weight"):
        original_sizes({"encoder.model.0.weight": torch.zeros(1)}, "vae.")
    with pytest.raises(UserError, match="'wing.weight'"):
        from_original_state_dict({"vae.wing.weight": torch.zeros(1)}, "vae.")
    with pytest.raises(UserError, match="linear1.bias: expected shape .48,., found no such weight"):
        load_original(small(), {})


def test_a_handful_of_clips_are_learned():
    network = small(dropout=0.0).train()
    time = torch.linspace(0, 6, 24)[:, None]
    features = torch.stack([torch.sin(time * (1 + row) + torch.arange(11.0)) for row in range(4)])
    lengths = torch.tensor([24, 20, 24, 16])
    features = features * (torch.arange(24)[None] < lengths[:, None])[..., None]
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3)
    losses = []
    for _ in range(160):
        loss = (network.reconstruct(features, lengths) - features).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.2 * losses[0]
