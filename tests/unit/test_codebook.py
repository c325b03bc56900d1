"""What a codebook learnt: counted, put in context, and shown on a page that stands alone."""

import json
import re

import numpy as np
import pytest
import torch

import motiongpt.codecs as codecs
from launch.cli import main
from motiongpt.backbones.base import Backbone
from motiongpt.backbones.t5 import T5Backbone
from motiongpt.codebook.contexts import contexts_of
from motiongpt.codebook.figures import figures_of, reach_of
from motiongpt.codebook.geometry import nearest_codes, principal_map
from motiongpt.codebook.tokens import Usage, joined, tokens_of, usage_of
from motiongpt.codebook.words import CaptionWords, words_of_codes
from motiongpt.codecs.base import DiscreteCodec
from motiongpt.codecs.tm2t_vq.network import TM2TVQVAE
from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.methods.base import TEXT_TO_MOTION, MotionFormat, Request
from motiongpt.methods.motiongpt.attended import by_words
from motiongpt.methods.motiongpt.method import MotionGPTMethod
from motiongpt.motion.recover import features_to_joints
from motiongpt.motion.skeleton import HUMANML3D
from motiongpt.registry import classes_in
from tests.unit.codebook_parts import EVIL, small_store
from tests.unit.mld_parts import small_codec as continuous_codec
from tests.unit.momask_parts import small_codec as residual_codec
from tests.unit.test_viewer import unpacked
from tests.unit.tiny_models import tiny_backbone, tiny_model_folder, tiny_tokenizer

METHOD = {"name": "motiongpt", "parts": {"codec": "tokenizer"}, "codec": "tokenizer"}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return small_store(tmp_path_factory.mktemp("root") / "data" / "fake-1")


def make_run(root, codec, store, stage="tokenizer", fingerprint=None):
    """A finished run that left the codec; its record says where the store once lay."""
    run = root / "runs" / stage / "0123456789abcdef"
    codec.save(run / "model")
    data = {
        "folder": f"gone/{store.folder.name}",
        "fingerprint": fingerprint or store.fingerprint,
        "fps": store.fps,
        "skeleton": store.skeleton.name,
    }
    record = {"parents": {}, "config": {"method": METHOD}, "data": data}
    (run / "config.json").write_text(json.dumps(record))
    (run / "status.json").write_text(json.dumps({"state": "finished"}))
    return run


def page_of(path):
    (text,) = re.findall(r'id="data">(.*?)</script>', path.read_text(), re.S)
    return json.loads(text)


def tm2t_codec():
    torch.manual_seed(0)
    network = TM2TVQVAE(263, codebook_size=16, code_dim=16, width=16, depth=1)
    return TrainedTokenizer(network, np.zeros(263), np.full(263, 0.1, np.float32))


def test_usage_is_counted():
    usage = Usage(np.array([4, 4, 0, 0]))
    assert usage.perplexity == pytest.approx(2) and usage.dead.tolist() == [2, 3]
    assert (usage.covering(0.5), usage.covering(0.9)) == (1, 2)
    assert Usage(np.array([9, 0])).perplexity == pytest.approx(1)
    assert Usage(np.zeros(3, int)).covering(0.5) == 0


def test_a_code_stands_between_its_most_frequent_neighbours():
    tokens = joined(np.arange(3), [np.array(one) for one in ([5, 1, 6], [3, 1, 4, 3, 1, 4], [1])])
    contexts = contexts_of(tokens, 0, 8, reach=1)
    one = contexts[1]
    assert (one.first, one.token, one.last) == (3, 4, 6), "the commoner pair, in its own clip"
    assert one.before == [(3, 0.5), (5, 0.25)] and one.after == [(4, 0.5), (6, 0.25)]
    assert contexts[0] is None and contexts[7] is None
    edge = contexts[5]
    assert (edge.first, edge.last) == (0, 2), "a window ends with its clip"


def test_codes_of_a_later_codebook_stand_on_what_they_add_to():
    codes = np.array([[0, 7], [1, 2], [0, 7], [1, 2], [2, 2]])
    tokens = joined(np.arange(1), [codes])
    context = contexts_of(tokens, 1, 8, reach=1)[2]
    assert context.token == 1 and context.before == [(0, 2 / 3), (1, 1 / 3)]


def test_words_go_with_the_codes_of_their_clips():
    said = np.zeros((100, 2), np.float32)
    said[:50, 0] = 1  # "walks" in the first half, "person" in all
    said[:, 1] = 1
    clips = [np.array([3, 3] if i < 49 else [2]) for i in range(100)]
    found = words_of_codes(
        joined(np.arange(100), clips), 0, 4, CaptionWords(["walks", "person"], said)
    )
    assert [word.word for word in found[3]] == ["walks"] and found[3][0].clips == 49
    a, b, c, d = 49.5, 0.5, 1.5, 50.5
    assert found[3][0].odds == pytest.approx(np.log(a * d / (b * c)))
    assert found[3][0].score == pytest.approx(
        found[3][0].odds / np.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
    )
    assert found[0] == [] and found[2] == [], "a word of everybody goes with nobody"


def test_words_are_one_whatever_their_ending(store):
    words = CaptionWords.of(store, store.indices("train")).words
    assert {"walks", "waving", "person"} <= set(words)


def test_neighbours_and_map():
    vectors = np.array([[0, 0, 0], [1, 0, 0], [5, 0, 0.1], [5.5, 0, 0]], float)
    near = nearest_codes(vectors, 2)
    assert [code for code, _ in near[3]] == [2, 1] and near[0][0] == (1, pytest.approx(1))
    points, shares = principal_map(vectors, np.array([True, True, True, True]))
    assert shares[0] > 0.99 and np.ptp(points[:, 0]) == pytest.approx(5.5, abs=0.01)
    moved, _ = principal_map(np.vstack([vectors, [[0, 900, 0]]]), np.arange(5) < 4)
    np.testing.assert_allclose(moved[:4], points, atol=1e-6)  # dead codes turn no axis


def test_a_figure_is_what_the_codec_decodes(store):
    codec = tiny_tokenizer()
    tokens = tokens_of(codec, store, "train")
    assert len(tokens.clips) == 12, "the short clip has no token"
    reach = reach_of(codec, store.fps)
    assert reach == 3
    figures = figures_of(codec, tokens, 0, HUMANML3D, store.fps)
    assert [one.code for one in figures] == list(range(16)), "dead ones are shown repeated"
    used = next(one for one in figures if one.context is not None)
    window = tokens.codes[used.context.first : used.context.last, 0]
    (features,) = codec.decode([window])
    joints = features_to_joints(torch.from_numpy(features), HUMANML3D).numpy()
    np.testing.assert_allclose(used.joints, joints, atol=1e-5)
    assert window[used.own[0] // 4] == used.code and used.own[1] - used.own[0] == 4
    assert len(used.repeated) == 4 * (2 * reach + 1) and used.adds is None


def test_each_codebook_of_a_residual_codec_is_counted_and_adds(store):
    codec = residual_codec()
    tokens = tokens_of(codec, store, "train", most_clips=5)
    assert len(tokens.clips) == 5 and tokens.codes.shape[1] == codec.codebooks
    usage = usage_of(tokens, 1, codec.codebook_size)
    assert usage.counts.sum() == len(tokens.codes)
    figures = figures_of(codec, tokens, 1, HUMANML3D, store.fps)
    adds = [one.adds for one in figures if one.context is not None]
    assert adds and all(one > 0 for one in adds)
    assert all(one.adds is None for one in figures_of(codec, tokens, 0, HUMANML3D, store.fps))


def test_code_vectors_are_what_decoding_looks_up():
    for codec in (tiny_tokenizer(), residual_codec(), tm2t_codec()):
        vectors = codec.tokenizer.code_vectors()
        assert vectors.shape[:2] == (codec.codebooks, codec.codebook_size)
        assert not vectors.requires_grad
        quantizer = codec.tokenizer.quantizer
        first = quantizer if codec.codebooks == 1 else quantizer.layers[0]
        np.testing.assert_array_equal(vectors[0], first.codebook.detach())


KINDS = [(tiny_tokenizer, 1), (residual_codec, 3), (tm2t_codec, 1)]


def test_all_discrete_codecs_are_tested():
    there = {type(codec().network).__name__ for codec, _ in KINDS}
    assert there == set(classes_in(codecs, DiscreteCodec))


@pytest.mark.parametrize(("codec", "books"), KINDS)
def test_the_command_writes_a_page_of_any_discrete_codec(
    store, tmp_path, codec, books, capsys, monkeypatch
):
    root = store.folder.parents[1]  # outputs that were moved: the store is found beside the runs
    run = make_run(root, codec(), store, stage=codec.__name__)
    out = tmp_path / "codes.html"
    words = ["codebook", str(run), "--out", str(out), "--clip", "clip3", "--device", "cpu"]
    assert main(words) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(out)
    data, text = page_of(out), out.read_text()
    assert len(data["codebooks"]) == books and [one["name"] for one in data["clips"]] == ["clip3"]
    book = data["codebooks"][-1]
    shown = {one["code"]: one for one in book["figures"]["codes"]}
    joints = unpacked(book["figures"]["context"])
    assert joints.shape[1:] == (22, 3)
    ends = [sum(one["context"][:2]) for one in shown.values() if "context" in one]
    assert max(ends) == len(joints) and sum(book["counts"]) > 0
    assert all(book["counts"][code] == 0 or "context" in one for code, one in shown.items())
    (clip,) = data["clips"]
    index = next(i for i in range(len(store)) if store.names[i] == "clip3")
    real = features_to_joints(torch.from_numpy(store.features(index)), HUMANML3D)
    np.testing.assert_allclose(unpacked(clip["real"]), real, atol=6e-4)
    assert len(clip["codes"]) == clip["frames"][1] // 4 and len(clip["codes"][0]) == books
    assert text.count("<script") == 2 and EVIL not in text, "captions are data, not script"
    assert not re.search(r"""(src|href)=["']""", text) and "default-src 'none'" in text


def test_what_has_no_codebook_is_refused_in_one_line(store, tmp_path, capsys):
    def said(*words):
        assert main(["codebook", *map(str, words)]) == 2
        (line,) = capsys.readouterr().err.strip().splitlines()
        return line

    continuous = make_run(tmp_path / "c", continuous_codec(), store, stage="codec")
    assert "is continuous: its latents are vectors and it has no codebook" in said(continuous)
    assert "nothing to open" in said(tmp_path / "gone")
    run = make_run(tmp_path / "d", tiny_tokenizer(), store)
    assert "is not in gone" in said(run) and "--store" in said(run)
    assert "expected a file that ends in .html" in said(run, "--out", tmp_path)
    at = ("--store", store.folder)
    assert "nearest names are clip" in said(run, *at, "--clip", "clip99")
    assert "no clip of the split test" in said(run, *at, "--split", "test")
    assert "--most-clips 0" in said(run, *at, "--most-clips", "0")
    moved = make_run(store.folder.parents[1], tiny_tokenizer(), store, "changed", "other")
    assert "no longer what it was trained on" in said(moved)
    assert not list(tmp_path.glob("*.html"))


@pytest.fixture(scope="module")
def method():
    return MotionGPTMethod(tiny_tokenizer(), tiny_backbone(), MotionFormat(20.0, HUMANML3D))


def test_codes_say_which_words_they_read(method):
    found = method.attended("a person walks forward", seed=3)
    prompt = " ".join(found.words)
    assert "a person walks forward" in prompt and found.words[-1] == "(end)"
    assert found.weights.shape == (len(found.codes), len(found.words)) and len(found.codes)
    np.testing.assert_allclose(found.weights.sum(1), 1, atol=1e-5)
    (output,) = method.generate([Request("", TEXT_TO_MOTION, "a person walks forward")], seed=3)
    assert method.codec.frames_per_token * len(found.codes) == len(output.motion)


def test_a_words_share_is_that_of_its_tokens(method):
    prompt, target = "walks forwards", method.backbone.vocabulary.write([2, 5])
    backbone = method.backbone
    tokens = backbone.encode_inputs([prompt])[0]
    targets = backbone.encode_targets([target])[0]
    weights = np.zeros((len(targets), len(tokens)), np.float32)
    weights[1, 0], weights[1, -2] = 0.25, 0.75  # the first code: first and last piece of words
    weights[2, -1] = 1
    found = by_words(backbone, prompt, target, weights)
    assert found.codes.tolist() == [2, 5] and found.words == ["walks", "forwards", "(end)"]
    np.testing.assert_allclose(found.weights, [[0.25, 0.75, 0], [0, 0, 1]])


def test_sentences_are_shown_and_refused_where_no_word_is_read(
    store, method, tmp_path, capsys, monkeypatch
):
    folder = tiny_model_folder(tmp_path / "model")
    out, at = tmp_path / "codes.html", ["--store", str(store.folder), "--device", "cpu"]
    words = ["codebook", str(folder), *at, "--out", str(out)]
    assert main([*words, "--sentence", f"a person walks {EVIL}"]) == 0
    (sentence,) = page_of(out)["sentences"]
    assert len(sentence["codes"]) == len(sentence["weights"]) and sentence["text"].endswith(EVIL)
    assert unpacked(sentence["joints"]).shape == (4 * len(sentence["codes"]), 22, 3)
    out.unlink()
    capsys.readouterr()
    monkeypatch.setattr(T5Backbone, "cross_attention", Backbone.cross_attention)
    assert main([*words, "--sentence", "a person walks"]) == 2
    error = capsys.readouterr().err
    assert "has no attention from codes to words" in error and not out.exists()


def test_a_code_that_begins_clips_is_shown_at_their_beginning():
    clips = [[7, 1, 2, 3], [7, 1, 2, 3], [4, 7, 1, 2, 5]]
    tokens = joined(np.arange(3), [np.array(one) for one in clips])
    context = contexts_of(tokens, 0, 8, reach=1)[7]
    assert (context.first, context.token, context.last) == (0, 0, 2)
    assert context.before == [(4, pytest.approx(1 / 3))]
    two = contexts_of(tokens, 0, 8, reach=2)[1]
    assert two.token == 10, "of occurrences with the same neighbours one whose window is whole"
