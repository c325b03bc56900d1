"""Trained codecs by folder: continuous ones, and what both kinds do alike."""

import json

import numpy as np
import pytest
import torch

from motiongpt.codecs.loading import load_codec
from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.codecs.trained_latents import TrainedLatents
from motiongpt.codecs.vposer_t.network import VPoserT
from motiongpt.codecs.vq_vae.network import VQVAE
from motiongpt.codecs.vq_vae.quantizers.ema_reset import EMAResetQuantizer
from motiongpt.errors import UserError
from tests.unit.test_continuous_codecs import FEATURES, actor, vposer_t

MEAN, STD = np.linspace(-1, 1, FEATURES), np.linspace(0.5, 2, FEATURES)


def latents(make=vposer_t) -> TrainedLatents:
    return TrainedLatents(make(), MEAN, STD)


def tokenizer() -> TrainedTokenizer:
    torch.manual_seed(0)
    network = VQVAE(FEATURES, EMAResetQuantizer, codebook_size=24, code_dim=12, width=16)
    network.train()(torch.randn(4, 64, FEATURES))
    return TrainedTokenizer(network, MEAN, STD)


@pytest.fixture
def clips() -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [random.normal(size=(n, FEATURES)).astype(np.float32) for n in (9, 16, 40, 1, 13, 16)]


@pytest.mark.parametrize("trained", [latents(vposer_t), latents(actor), tokenizer()], ids=type)
def test_reconstructions_are_exactly_as_long_in_any_batch_size(trained, clips):
    made = trained.reconstruct(clips)
    assert [clip.shape for clip in made] == [clip.shape for clip in clips]
    assert all(clip.dtype == np.float32 for clip in made)
    trained.batch_size = 2
    for one, other in zip(made, trained.reconstruct(clips), strict=True):
        np.testing.assert_allclose(one, other, atol=2e-5)
    assert trained.reconstruct([]) == []


def test_a_tokenizer_repeats_the_last_frame_to_whole_tokens(clips):
    trained, clip = tokenizer(), clips[4]  # 13 frames: 3 tokens and a frame
    padded = np.concatenate([clip, np.repeat(clip[-1:], 3, 0)])
    expected = trained.decode(trained.encode([padded]))[0][:13]
    np.testing.assert_allclose(trained.reconstruct([clip])[0], expected, atol=1e-5)


@pytest.mark.parametrize("make", [vposer_t, actor])
def test_long_clips_go_in_consecutive_pieces(make, clips):
    trained, clip = latents(make), clips[2]  # 40 frames, 16 at a time
    pieces = trained.reconstruct([clip[:16], clip[16:32], clip[32:]])
    np.testing.assert_allclose(trained.reconstruct([clip])[0], np.concatenate(pieces), atol=1e-5)


def test_clips_below_the_shortest_are_filled_up_and_cut(clips):
    trained = latents()
    trained.network.shortest = 12
    clip = clips[0]  # 9 frames
    filled = np.concatenate([clip, np.repeat(clip[-1:], 3, 0)])
    expected = trained.reconstruct([filled])[0][:9]
    np.testing.assert_allclose(trained.reconstruct([clip])[0], expected, atol=1e-6)


@pytest.mark.parametrize("make", [vposer_t, actor])
def test_encoding_and_decoding_the_mean_is_reconstructing(make, clips):
    trained = latents(make)
    short = [clip for clip in clips if len(clip) <= 16]
    found = trained.encode(short)
    assert all(mean.shape == std.shape and mean.shape[0] == 1 for mean, std in found)
    made = trained.decode([mean for mean, _ in found], [len(clip) for clip in short])
    for one, other in zip(made, trained.reconstruct(short), strict=True):
        np.testing.assert_allclose(one, other, atol=2e-5)


@pytest.mark.parametrize("make", [vposer_t, actor])
def test_a_saved_codec_comes_back_whole(make, clips, tmp_path):
    trained = latents(make)
    trained.save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["codec.json", "codec.safetensors"]
    again = load_codec(tmp_path)
    assert isinstance(again, TrainedLatents)
    assert np.array_equal(again.mean, trained.mean) and np.array_equal(again.std, trained.std)
    for one, other in zip(trained.reconstruct(clips), again.reconstruct(clips), strict=True):
        assert np.array_equal(one, other)


def test_a_tokenizers_folder_opens_as_a_tokenizer(clips, tmp_path):
    tokenizer().save(tmp_path)
    assert isinstance(load_codec(tmp_path), TrainedTokenizer)


def refused(load, *words: str) -> None:
    with pytest.raises(UserError) as error:
        load()
    assert "\n" not in str(error.value)
    assert all(word in str(error.value) for word in words), str(error.value)


def test_folders_of_another_kind_or_without_weights_are_refused(tmp_path):
    refused(lambda: load_codec(tmp_path), "tokenizer.json", "codec.json")
    latents().save(tmp_path)
    refused(lambda: TrainedTokenizer.load(tmp_path), "tokenizer.json", "but codec.json")
    (tmp_path / "codec.safetensors").unlink()
    refused(lambda: load_codec(tmp_path), "codec.safetensors", "no such file")


@pytest.mark.parametrize("name", ["VQVAE", "os.system", "ContinuousCodec", 3])
def test_a_description_of_another_class_is_refused(tmp_path, name):
    latents().save(tmp_path)
    described = json.loads((tmp_path / "codec.json").read_text())
    (tmp_path / "codec.json").write_text(json.dumps(described | {"class": name}))
    refused(lambda: load_codec(tmp_path), str(name), "VPoserT", "Actor")


def test_another_description_than_the_weights_is_refused(tmp_path):
    latents().save(tmp_path)
    described = json.loads((tmp_path / "codec.json").read_text())
    described["arguments"]["latent"] = 7
    (tmp_path / "codec.json").write_text(json.dumps(described))
    refused(lambda: load_codec(tmp_path), "decoder.input.weight", "7", "6")
    latents().save(tmp_path)
    refused(lambda: TrainedLatents.load(tmp_path, n_features=263), "n_features", "263", "11")


def test_bad_motion_is_refused_by_clip(clips):
    trained = latents()
    bad = np.full((9, FEATURES), np.nan)
    for call in (trained.encode, trained.reconstruct):
        refused(lambda call=call: call([clips[0], bad]), "clip 1", "NaN")
        refused(lambda call=call: call([np.zeros((9, 12))]), "clip 0", "(9, 12)")
        refused(lambda call=call: call([np.zeros((0, FEATURES))]), "clip 0", "at least 1")
    refused(lambda: trained.encode([clips[2]]), "clip 0", "40 frames", "at most 16")
    refused(lambda: trained.decode([np.zeros((1, 6))], [17]), "17 frames", "16")


def test_statistics_that_do_not_fit_are_refused():
    with pytest.raises(UserError, match="codec's std of feature 0"):
        TrainedLatents(VPoserT(FEATURES, 4, 8, 2), MEAN, np.zeros(FEATURES))
