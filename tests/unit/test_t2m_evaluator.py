"""The T2M evaluator on small random networks: order, padding, packing, and files not to trust."""

import pickle

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from evaluation.evaluators.t2m_evaluator import MAX_FRAMES, T2MEvaluator
from evaluation.evaluators.t2m_networks import T2MNetworks, T2MSizes
from evaluation.evaluators.t2m_weights import (
    NETWORKS,
    find_statistics,
    find_weights,
    load_networks,
    load_statistics,
)
from evaluation.evaluators.word_vectors import WordVectors
from motiongpt.errors import UserError

SIZES = T2MSizes(14, 8, 6, 10, 7, 5, 9)
VOCABULARY = ("unk", "sos", "eos", "a", "man", "walks", "walk", "left", "slowly", "and/or")
CAPTIONS = [
    ["a/DET", "man/NOUN", "walk/VERB", "slowly/ADV"],
    ["left/NOUN"],
    ["a/DET", "man/NOUN"],
    ["walk/VERB", "left/ADV", "slowly/ADV"],
]


def word_vectors(width=SIZES.word):
    vectors = np.random.default_rng(5).normal(size=(len(VOCABULARY), width))
    return WordVectors({word: index for index, word in enumerate(VOCABULARY)}, vectors)


def clips(lengths=(40, 4, 196, 61, 12, 196, 84)):
    draw = np.random.default_rng(0)
    return [draw.normal(3, 2, (length, 14)).astype(np.float32) for length in lengths]


@pytest.fixture
def evaluator():
    torch.manual_seed(0)
    mean, std = np.full(14, 3, np.float32), np.full(14, 2, np.float32)
    return T2MEvaluator(T2MNetworks(SIZES), mean, std, word_vectors(), batch_size=3)


def write_folder(folder, networks, **further):
    state = {name: getattr(networks, name).state_dict() for name in NETWORKS}
    path = folder / "text_mot_match" / "model" / "finest.tar"
    path.parent.mkdir(parents=True)
    torch.save({**state, "epoch": 3, **further}, path)
    return path


def write_words(folder, words=VOCABULARY, width=SIZES.word):
    vectors = np.random.default_rng(5).normal(size=(len(words), width))
    folder.mkdir(exist_ok=True)
    np.save(folder / "our_vab_data.npy", vectors)
    (folder / "our_vab_words.pkl").write_bytes(pickle.dumps(list(words)))
    indices = {word: index for index, word in enumerate(words)}
    (folder / "our_vab_idx.pkl").write_bytes(pickle.dumps(indices))
    return folder


class Malicious:
    """Unpickling it makes a folder."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        import os

        return os.mkdir, (str(self.path),)


def test_order_and_company_do_not_matter(evaluator):
    features = clips()
    found = evaluator.motion_embeddings(features)
    order = [3, 5, 0, 6, 1, 4, 2]
    other = evaluator.motion_embeddings([features[i] for i in order])
    np.testing.assert_allclose(other, found[order], atol=1e-6)
    alone = np.concatenate([evaluator.motion_embeddings([clip]) for clip in features])
    np.testing.assert_allclose(alone, found, atol=1e-6)
    assert np.abs(found[2] - found[5]).max() > 1e-3, "two clips, two embeddings"


@pytest.mark.parametrize(("frames", "n_steps"), [(40, 10), (43, 10), (4, 1), (196, 49)])
def test_packed_is_what_one_clip_padded_to_196_frames_gives(evaluator, frames, n_steps):
    (clip,) = clips((frames,))
    padded = torch.zeros(1, MAX_FRAMES, 14)
    padded[0, :frames] = torch.from_numpy((clip - 3) / 2)
    steps = evaluator.networks.movement_encoder(padded)[:, :n_steps]
    expected = evaluator.networks.motion_encoder(steps, None).detach().numpy()
    np.testing.assert_allclose(evaluator.motion_embeddings([clip]), expected, atol=1e-6)


def test_less_padding_than_196_frames_changes_nothing(evaluator):
    features = clips((*range(186, 197), 4, 5, 6, 7, 60))
    found = evaluator.motion_embeddings(features)
    padded = torch.zeros(len(features), MAX_FRAMES, 14)
    for row, clip in zip(padded, features, strict=True):
        row[: len(clip)] = torch.from_numpy((clip - 3) / 2)
    lengths = torch.tensor([len(clip) for clip in features])
    with torch.no_grad():
        expected = evaluator.networks.embed_motion(padded, lengths).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_longest_clip_sees_the_same_padding_as_any_other(evaluator):
    found = evaluator.motion_embeddings(clips((40,)))
    evaluator.max_frames = 40
    assert np.abs(evaluator.motion_embeddings(clips((40,))) - found).max() > 1e-4


def test_contacts_are_not_seen_and_every_other_feature_is(evaluator):
    clip = clips()[0]
    found = evaluator.motion_embeddings([clip])
    for feature in range(14):
        changed = clip.copy()
        changed[:, feature] += 1
        difference = np.abs(evaluator.motion_embeddings([changed]) - found).max()
        assert (difference > 1e-6) == (feature < 10)


def test_released_packing_depends_on_the_longest_of_the_batch(evaluator):
    short, long = clips((40, 80))
    alone = evaluator.motion_embeddings([short], packing="released")
    beside = evaluator.motion_embeddings([short, long], packing="released")
    assert np.abs(alone - beside[0]).max() > 1e-3
    padded = np.concatenate([short, np.full((40, 14), 3, np.float32)])
    by_hand = evaluator.motion_embeddings([padded], packing="released")
    np.testing.assert_allclose(by_hand[0], beside[0], atol=1e-6)
    assert np.abs(alone - evaluator.motion_embeddings([short])).max() > 1e-3


def test_released_batches_are_taken_in_the_order_given(evaluator):
    features = clips((40, 80, 60, 20))
    first = evaluator.motion_embeddings(features[:3], packing="released")
    last = evaluator.motion_embeddings(features[3:], packing="released")
    found = evaluator.motion_embeddings(features, packing="released")
    np.testing.assert_allclose(found, np.concatenate([first, last]), atol=1e-6)


def test_evaluation_mode_and_gradients_off(evaluator):
    again = evaluator.motion_embeddings(clips())
    np.testing.assert_array_equal(evaluator.motion_embeddings(clips()), again)


@pytest.mark.parametrize(
    ("clip", "message"),
    [
        (np.zeros((3, 14)), "clip 1: 3 frames"),
        (np.zeros((197, 14)), "clip 1: 197 frames"),
        (np.zeros((20, 13)), "clip 1: shape"),
        (np.full((20, 14), np.nan), "clip 1: frame 0 holds NaN"),
    ],
)
def test_bad_clips_are_named(evaluator, clip, message):
    with pytest.raises(UserError, match=message):
        evaluator.motion_embeddings([np.zeros((20, 14)), clip])


def test_unknown_packing_is_refused(evaluator):
    with pytest.raises(UserError, match="packed or released"):
        evaluator.motion_embeddings(clips(), packing="loose")


def test_captions_in_any_order_and_company(evaluator):
    found = evaluator.token_embeddings(CAPTIONS)
    np.testing.assert_allclose(
        evaluator.token_embeddings(CAPTIONS[::-1]), found[::-1], atol=1e-6, rtol=0
    )
    alone = np.concatenate([evaluator.token_embeddings([caption]) for caption in CAPTIONS])
    np.testing.assert_allclose(alone, found, atol=1e-6)


def test_captions_stand_between_marks_and_are_cut(evaluator):
    words, categories = word_vectors().embed(["sos/OTHER", "a/DET", "man/NOUN", "eos/OTHER"])
    with torch.no_grad():
        expected = evaluator.networks.embed_text(
            torch.from_numpy(words)[None], torch.from_numpy(categories)[None], torch.tensor([4])
        ).numpy()
    found = evaluator.token_embeddings([["a/DET", "man/NOUN", "walk/VERB"]], max_words=2)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    long = ["a/DET"] * 20
    np.testing.assert_array_equal(
        evaluator.token_embeddings([[*long, "man/NOUN"]]), evaluator.token_embeddings([long])
    )


def test_nothing_gives_nothing(evaluator):
    assert evaluator.motion_embeddings([]).shape == (0, 9)
    assert evaluator.token_embeddings([]).shape == (0, 9)


def test_safetensors_are_read(tmp_path):
    networks = T2MNetworks(SIZES)
    save_file(networks.state_dict(), tmp_path / "finest.safetensors")
    loaded = load_networks(tmp_path, SIZES)
    assert not loaded.training
    for name, tensor in networks.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor)
    (tmp_path / "finest.safetensors").write_bytes(b"no")
    with pytest.raises(UserError, match="damaged"):
        load_networks(tmp_path, SIZES)


def test_sizes_are_told_by_the_state():
    assert T2MSizes.of_state(T2MNetworks(SIZES).state_dict()) == SIZES


def test_other_shapes_are_refused(tmp_path):
    write_folder(tmp_path, T2MNetworks(SIZES))
    wanted = T2MSizes(16, 8, 6, 10, 7, 5, 9)
    with pytest.raises(
        UserError,
        match=r"movement_encoder\.main\.0\.weight: expected shape \(8, 12, 4\), found shape \(8, 10, 4\)",
    ):
        load_networks(tmp_path, wanted)


def test_missing_and_further_names_are_refused(tmp_path):
    networks = T2MNetworks(SIZES)
    state = networks.motion_encoder.state_dict()
    kept = {name: tensor for name, tensor in state.items() if name != "hidden"}
    path = write_folder(tmp_path, networks, motion_encoder=kept)
    with pytest.raises(UserError, match=r"motion_encoder\.hidden: expected shape .*, found none"):
        load_networks(tmp_path, SIZES)
    path.unlink()
    path.parent.rmdir(), path.parent.parent.rmdir()
    write_folder(tmp_path, networks, motion_encoder={**state, "wings": torch.zeros(2)})
    with pytest.raises(UserError, match=r"motion_encoder\.wings: expected none"):
        load_networks(tmp_path, SIZES)


@pytest.mark.parametrize("content", [{"model": {}}, [1], {"movement_encoder": {}, "epoch": 1}])
def test_another_checkpoint_is_refused(tmp_path, content):
    torch.save(content, tmp_path / "finest.tar")
    with pytest.raises(UserError, match="expected movement_encoder, motion_encoder, text_encoder"):
        load_networks(tmp_path, SIZES)


@pytest.mark.parametrize("legacy", [False, True])
def test_a_malicious_checkpoint_is_refused_and_does_nothing(tmp_path, legacy):
    networks, trace = T2MNetworks(SIZES), tmp_path / "trace"
    state = {name: getattr(networks, name).state_dict() for name in NETWORKS}
    content = {**state, "epoch": Malicious(trace)}
    torch.save(content, tmp_path / "finest.tar", _use_new_zipfile_serialization=not legacy)
    with pytest.raises(UserError, match="not loaded"):
        load_networks(tmp_path, SIZES)
    assert not trace.exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"anything else"])
def test_a_damaged_checkpoint_is_refused(tmp_path, content):
    (tmp_path / "finest.tar").write_bytes(content)
    with pytest.raises(UserError, match=r"finest\.tar") as error:
        load_networks(tmp_path, SIZES)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda weight: weight.fill_(torch.nan), "holds NaN or infinity"),
        (lambda weight: weight.to_sparse(), "expected plain weights"),
        (lambda weight: weight.long(), "expected torch.float32, found torch.int64"),
        (lambda weight: weight[:1].clone().expand(weight.shape), "some are repeated"),
    ],
    ids=["nan", "sparse", "whole", "repeated"],
)
def test_junk_in_the_place_of_weights_is_refused(tmp_path, change, said):
    networks = T2MNetworks(SIZES)
    state = networks.movement_encoder.state_dict()
    name = next(name for name, tensor in state.items() if tensor.ndim > 1)
    path = write_folder(tmp_path, networks, movement_encoder={**state, name: change(state[name])})
    with pytest.raises(UserError, match=said) as caught:
        load_networks(tmp_path, SIZES)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_file_in_the_place_of_its_folder_says_so(tmp_path):
    path = write_folder(tmp_path, T2MNetworks(SIZES))
    for find in (find_weights, find_statistics):
        with pytest.raises(UserError, match=r"finest\.tar: a file; name the folder"):
            find(path)


def test_a_missing_evaluator_says_how_to_get_it(tmp_path):
    with pytest.raises(UserError, match=r"no T2M evaluator here.*finest\.tar.*text-to-motion"):
        load_networks(tmp_path, SIZES)
    with pytest.raises(UserError, match=r"no statistics here.*meta.*text-to-motion"):
        load_statistics(tmp_path, 14)


def test_statistics_are_checked(tmp_path):
    np.save(tmp_path / "mean.npy", np.zeros(14))
    with pytest.raises(UserError, match=r"std\.npy: no such file"):
        load_statistics(tmp_path, 14)
    np.save(tmp_path / "std.npy", np.ones(14))
    assert load_statistics(tmp_path, 14)[1].dtype == np.float32
    with pytest.raises(UserError, match="expected 15 real numbers"):
        load_statistics(tmp_path, 15)
    np.save(tmp_path / "std.npy", np.eye(14)[3])
    with pytest.raises(UserError, match=r"std\.npy: feature 0 is not > 0"):
        load_statistics(tmp_path, 14)
    np.save(tmp_path / "mean.npy", np.where(np.arange(14) == 5, np.nan, 0))
    with pytest.raises(UserError, match="feature 5 is not finite"):
        load_statistics(tmp_path, 14)


def test_word_vectors_must_be_as_wide_as_the_encoder_expects():
    zeros = np.zeros(14, np.float32)
    with pytest.raises(UserError, match="word vectors of 6 numbers.*expects 5"):
        T2MEvaluator(T2MNetworks(SIZES), zeros, zeros + 1, word_vectors(6))
