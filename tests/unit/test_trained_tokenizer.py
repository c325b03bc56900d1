import json

import numpy as np
import pytest
import torch

from motiongpt.codecs.trained import DESCRIPTION, WEIGHTS, TrainedTokenizer
from motiongpt.codecs.vq_vae.network import VQVAE
from motiongpt.codecs.vq_vae.quantizers.ema_reset import EMAResetQuantizer
from motiongpt.errors import UserError

FEATURES = 11


@pytest.fixture
def trained() -> TrainedTokenizer:
    torch.manual_seed(0)
    tokenizer = VQVAE(FEATURES, EMAResetQuantizer, codebook_size=24, code_dim=12, width=16)
    tokenizer.train()(torch.randn(4, 64, FEATURES))
    mean, std = np.linspace(-1, 1, FEATURES), np.linspace(0.5, 2, FEATURES)
    return TrainedTokenizer(tokenizer, mean, std)


@pytest.fixture
def clips() -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [
        random.normal(size=(n, FEATURES)).astype(np.float32) for n in (30, 4, 97, 7, 64, 30, 18)
    ]


def test_lists_keep_their_order_and_lengths_in_any_batch_size(trained, clips):
    codes = trained.encode(clips)
    assert [len(c) for c in codes] == [7, 1, 24, 1, 16, 7, 4]
    assert all(c.dtype == np.int64 for c in codes)
    motions = trained.decode(codes)
    assert [m.shape for m in motions] == [(4 * len(c), FEATURES) for c in codes]
    assert all(m.dtype == np.float32 for m in motions)
    for batch_size in (1, 3):
        trained.batch_size = batch_size
        for one, other in zip(codes, trained.encode(clips), strict=True):
            assert np.array_equal(one, other)
        for one, other in zip(motions, trained.decode(codes), strict=True):
            np.testing.assert_allclose(one, other, atol=2e-5)
    assert trained.encode([]) == []


def test_features_are_normalised_on_the_way_in_and_back_on_the_way_out(trained, clips):
    clip = torch.from_numpy((clips[2] - trained.mean) / trained.std)[None]
    codes = trained.tokenizer.encode(clip)
    assert np.array_equal(trained.encode(clips[2:3])[0], codes[0].numpy())
    expected = trained.tokenizer.decode(codes)[0].detach().numpy() * trained.std + trained.mean
    np.testing.assert_allclose(trained.decode([codes[0].numpy()])[0], expected, atol=1e-6)


def test_a_saved_tokenizer_comes_back_whole(trained, clips, tmp_path):
    trained.save(tmp_path)
    again = TrainedTokenizer.load(tmp_path, codebook_size=24, n_features=FEATURES)
    assert np.array_equal(again.mean, trained.mean)
    assert np.array_equal(again.std, trained.std)
    for name, value in trained.tokenizer.state_dict().items():
        assert torch.equal(again.tokenizer.state_dict()[name], value), name
    for one, other in zip(trained.encode(clips), again.encode(clips), strict=True):
        assert np.array_equal(one, other)


def refused(tmp_path, *words: str, **wanted: int) -> None:
    with pytest.raises(UserError) as error:
        TrainedTokenizer.load(tmp_path, **wanted)
    message = str(error.value)
    assert "\n" not in message
    assert all(word in message for word in words), message


def test_another_size_is_refused_with_both_numbers(trained, tmp_path):
    trained.save(tmp_path)
    refused(tmp_path, "codebook_size", "512", "24", codebook_size=512)
    refused(tmp_path, "n_features", "263", "11", n_features=263)


def edit(folder, change) -> None:
    path = folder / DESCRIPTION
    described = json.loads(path.read_text())
    change(described)
    path.write_text(json.dumps(described))


def test_weights_that_do_not_fit_the_description_are_refused_by_name(trained, tmp_path):
    trained.save(tmp_path)
    edit(tmp_path, lambda described: described["arguments"].update(codebook_size=48))
    refused(tmp_path, "quantizer.code", "48", "24")


@pytest.mark.parametrize("name", ["os.system", "Decoder", "DiscreteCodec", 3])
def test_a_class_that_is_no_tokenizer_is_refused(trained, tmp_path, name):
    trained.save(tmp_path)
    edit(tmp_path, lambda described: described.update({"class": name}))
    refused(tmp_path, str(name), "VQVAE")


def test_an_unknown_quantizer_is_refused(trained, tmp_path):
    trained.save(tmp_path)
    edit(tmp_path, lambda described: described["arguments"]["quantizer"].update({"class": "eval"}))
    refused(tmp_path, "eval", "EMAResetQuantizer", "StandardQuantizer")


def test_missing_or_damaged_files_are_refused(trained, tmp_path):
    refused(tmp_path, DESCRIPTION)
    trained.save(tmp_path)
    weights = (tmp_path / WEIGHTS).read_bytes()
    (tmp_path / WEIGHTS).write_bytes(weights[: len(weights) // 2])
    refused(tmp_path, WEIGHTS)
    (tmp_path / WEIGHTS).unlink()
    refused(tmp_path, WEIGHTS)
    (tmp_path / DESCRIPTION).write_text("{")
    refused(tmp_path, DESCRIPTION)
    (tmp_path / DESCRIPTION).write_text("[]")
    refused(tmp_path, DESCRIPTION)


@pytest.mark.parametrize(
    ("clip", "words"),
    [
        (np.zeros((3, FEATURES)), ["clip 1", "3 frames", "at least 4"]),
        (np.zeros((9, 12)), ["clip 1", "(9, 12)", "11"]),
        (np.full((9, FEATURES), np.nan), ["clip 1", "NaN"]),
    ],
)
def test_bad_motion_is_refused_by_clip(trained, clips, clip, words):
    with pytest.raises(UserError) as error:
        trained.encode([clips[0], clip])
    assert all(word in str(error.value) for word in words)


@pytest.mark.parametrize(
    ("codes", "words"),
    [
        ([0, 24], ["clip 1", "code 24 at token 1", "0 to 23"]),
        ([-1], ["clip 1", "code -1"]),
        ([], ["clip 1"]),
        ([0.5], ["clip 1", "integers"]),
    ],
)
def test_bad_codes_are_refused_by_clip(trained, codes, words):
    with pytest.raises(UserError) as error:
        trained.decode([np.array([1, 2]), np.array(codes)])
    assert all(word in str(error.value) for word in words)


def test_statistics_that_do_not_fit_are_refused(trained):
    with pytest.raises(UserError, match="std of feature 2"):
        std = np.ones(FEATURES)
        std[2] = 0
        TrainedTokenizer(trained.tokenizer, trained.mean, std)
    with pytest.raises(UserError, match=r"mean has shape \(263,\)"):
        TrainedTokenizer(trained.tokenizer, np.zeros(263), np.ones(263))
