"""VPoser-t and ACTOR as networks: shapes, masks, what they refuse."""

import numpy as np
import pytest
import torch

from motiongpt.codecs.actor.action_network import (
    ActionActor,
    generation_latents,
    noise_rows,
)
from motiongpt.codecs.actor.network import Actor
from motiongpt.codecs.actor.original_names import load_original
from motiongpt.codecs.actor.positions import sinusoids
from motiongpt.codecs.base import ContinuousCodec
from motiongpt.codecs.vposer_t.network import VPoserT
from motiongpt.codecs.vposer_t.original_names import original_sizes
from motiongpt.errors import UserError

FEATURES = 11
LENGTHS = torch.tensor([12, 5, 1, 9])


def vposer_t(**options) -> VPoserT:
    torch.manual_seed(0)
    codec = VPoserT(FEATURES, frames=16, width=24, latent=6, **options)
    codec.train()
    codec.encode(torch.randn(8, 16, FEATURES))  # statistics that are not 0 and 1
    return codec.eval()


def actor(**options) -> Actor:
    torch.manual_seed(0)
    sizes = {"width": 16, "layers": 2, "heads": 2, "feedforward": 32, "longest": 16}
    return Actor(FEATURES, **sizes | options).eval()


CODECS = pytest.mark.parametrize("make", [vposer_t, actor])


@CODECS
def test_shapes_of_latents_and_features(make):
    codec: ContinuousCodec = make()
    features = torch.randn(4, 12, FEATURES)
    latent = codec.encode(features, LENGTHS)
    width = 6 if make is vposer_t else 16
    assert latent.mean.shape == latent.std.shape == (4, 1, width)
    assert (latent.std > 0).all()
    assert codec.decode(latent.mean, torch.tensor([7, 2, 16, 1])).shape == (4, 16, FEATURES)
    assert codec.reconstruct(features).shape == features.shape


@CODECS
@torch.no_grad()
def test_padding_never_changes_a_row(make):
    codec = make()
    features = torch.randn(4, 12, FEATURES)
    content = torch.arange(12)[None] < LENGTHS[:, None]
    spoilt = torch.where(content[..., None], features, torch.full_like(features, 1e4))
    together = codec.reconstruct(spoilt, LENGTHS)
    assert (together[~content] == 0).all()
    for row, length in enumerate(LENGTHS.tolist()):
        alone = codec.reconstruct(features[row : row + 1, :length])
        torch.testing.assert_close(together[row, :length], alone[0], atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_released_vposer_t_does_not_look_at_lengths():
    codec = vposer_t(hide_padding=False)
    features = torch.randn(4, 12, FEATURES)
    assert torch.equal(codec.encode(features, LENGTHS).mean, codec.encode(features).mean)
    made = codec.decode(torch.zeros(4, 1, 6), LENGTHS)
    assert (made[2, 1:] != 0).any()


@CODECS
@torch.no_grad()
def test_arguments_rebuild_the_codec(make):
    codec = make()
    again = type(codec).from_arguments(codec.arguments())
    again.load_state_dict(codec.state_dict())
    features = torch.randn(4, 12, FEATURES)
    assert torch.equal(
        again.eval().reconstruct(features, LENGTHS), codec.reconstruct(features, LENGTHS)
    )


@CODECS
def test_longer_clips_than_the_codec_has_frames_are_refused(make):
    with pytest.raises(UserError, match="16 frames, not 17"):
        make().encode(torch.zeros(1, 17, FEATURES))


def test_actor_refuses_to_write_beyond_its_positions():
    with pytest.raises(UserError, match="16 frames, not 20"):
        actor().decode(torch.zeros(1, 1, 16), torch.tensor([20]))


@pytest.mark.parametrize(("width", "heads"), [(15, 3), (16, 3)])
def test_actor_refuses_a_width_that_it_cannot_have(width, heads):
    with pytest.raises(UserError, match=f"width is {width}"):
        actor(width=width, heads=heads)


def test_vposer_t_refuses_no_frames_and_a_lonely_clip_in_training():
    with pytest.raises(UserError, match="frames=0"):
        VPoserT(FEATURES, frames=0)
    with pytest.raises(UserError, match="two clips"):
        vposer_t().train().encode(torch.zeros(1, 4, FEATURES))


def test_sinusoids_are_those_of_the_paper():
    table = sinusoids(20, 6)
    speed = 10000 ** (-np.arange(0, 6, 2) / 6)
    angle = np.arange(20)[:, None] * speed
    np.testing.assert_allclose(table[:, 0::2], np.sin(angle), atol=1e-5)
    np.testing.assert_allclose(table[:, 1::2], np.cos(angle), atol=1e-5)


def test_layers_of_a_transformer_do_not_begin_as_copies():
    first, second = actor().encoder.transformer.layers
    assert not torch.equal(first.linear1.weight, second.linear1.weight)


def action_actor(**options) -> ActionActor:
    torch.manual_seed(0)
    sizes = {"width": 16, "layers": 1, "heads": 2, "feedforward": 32, "longest": 16}
    return ActionActor(FEATURES, 3, **sizes, **options).eval()


@pytest.mark.parametrize(
    "options",
    [{}, {"condition": "token"}, {"condition": "linear"}, {"queries": "time"}, {"summary": "average"}],
    ids=str,
)  # fmt: skip
@torch.no_grad()
def test_actions_matter_and_padding_does_not(options):
    network = action_actor(**options)
    features, actions = torch.randn(4, 12, FEATURES), torch.tensor([0, 1, 2, 0])
    content = (torch.arange(12)[None] < LENGTHS[:, None])[..., None]
    spoilt = torch.where(content, features, torch.full_like(features, 1e4))
    found = network.encode(spoilt, actions, LENGTHS)
    torch.testing.assert_close(
        found.mean, network.encode(features * content, actions, LENGTHS).mean
    )
    made = network.decode(found.mean, actions, LENGTHS)
    assert (made[~content[..., 0]] == 0).all()
    other = network.decode(found.mean, (actions + 1) % 3, LENGTHS)
    assert not torch.allclose(made, other)


@torch.no_grad()
def test_the_released_average_counts_padding():
    features, actions = torch.randn(2, 12, FEATURES), torch.zeros(2, dtype=torch.int64)
    lengths = torch.tensor([12, 3])
    ours, released = (
        action_actor(summary=one).encode(features, actions, lengths).mean
        for one in ("average", "average_padded")
    )
    torch.testing.assert_close(ours[0], released[0])
    assert not torch.allclose(ours[1], released[1])


@pytest.mark.parametrize("options", [{"summary": "mean"}, {"condition": "x"}, {"queries": "x"}])
def test_unknown_options_of_actor_are_refused(options):
    with pytest.raises(UserError, match="choose one of"):
        action_actor(**options)


@torch.no_grad()
def test_generated_clips_come_all_actions_first():
    network = action_actor()
    actions, lengths = torch.tensor([2, 0]), torch.tensor([5, 9])
    latents = torch.randn(4, 16)
    made = network.generate(actions, lengths, latents)
    assert made.shape == (4, 9, FEATURES)
    assert (made[0::2, 5:] == 0).all() and (made[1::2, 5:] != 0).any()
    alone = network.decode(latents[3:, None], actions[1:], lengths[1:])
    torch.testing.assert_close(made[3:], alone)


@pytest.mark.parametrize("same", ["random", "same", "interpolate"])
@pytest.mark.parametrize("other", ["random", "same"])
def test_modes_of_the_generators_noise(same, other):
    noise = torch.randn(noise_rows(3, 5, same, other), 4)
    latents = generation_latents(noise, 3, 5, same, other, factor=0.5).view(5, 3, 4)
    assert torch.equal(latents[0] == latents[1], torch.full((3, 4), same == "same"))
    assert torch.equal(latents[1, 0] == latents[1, 1], torch.full((4,), other == "same"))
    first, last = latents[0], latents[-1]
    if same == "interpolate":
        torch.testing.assert_close(first, -last)
        assert (latents[2] == 0).all()
    torch.testing.assert_close(last[-1], 0.5 * noise[-1])


def test_noise_of_another_size_or_mode_is_refused():
    with pytest.raises(UserError, match="need 3"):
        generation_latents(torch.zeros(5, 4), 3, 5, "same", "random")
    with pytest.raises(UserError, match="unknown mode 'twice'"):
        generation_latents(torch.zeros(5, 4), 3, 5, "twice")


def test_released_weights_that_are_no_sinusoids_or_no_vposer_t_are_refused():
    codec = actor()
    table = torch.zeros(8, 1, 16)
    with pytest.raises(UserError, match="sinusoids"):
        load_original(codec, {"encoder.sequence_pos_encoding.pe": table})
    with pytest.raises(UserError, match="expected shape"):
        load_original(codec, {"encoder.mu_token": torch.zeros(8)})
    with pytest.raises(UserError, match="decoder.wings"):
        load_original(codec, {"decoder.wings.weight": torch.zeros(8)})
    with pytest.raises(UserError, match="no VPoser-t"):
        original_sizes({}, FEATURES)
