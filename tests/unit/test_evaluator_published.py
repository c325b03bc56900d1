"""Files in T2M's layout, small and random, become an evaluator like any other."""

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf

from evaluation.evaluator_stage import EvaluatorStage
from evaluation.evaluators.loading import load_evaluator
from evaluation.evaluators.t2m_networks import T2MNetworks, T2MSizes
from evaluation.evaluators.t2m_published import T2MPublished
from motiongpt.data.build import build_store
from motiongpt.data.clip import Caption
from motiongpt.errors import UserError
from motiongpt.training.stage import StageContext
from tests.unit.fake_source import FakeSource, feature_clip
from tests.unit.test_t2m_evaluator import write_folder, write_words

SIZES = {
    "movement_hidden": 8,
    "movement": 6,
    "motion_hidden": 10,
    "text_hidden": 7,
    "word": 5,
    "embedding": 9,
}
CAPTION = Caption("a man walks slowly", "a/DET man/NOUN walk/VERB slowly/ADV")


@pytest.fixture
def settings(tmp_path):
    torch.manual_seed(0)
    weights = tmp_path / "t2m"
    write_folder(weights, T2MNetworks(T2MSizes(263, *SIZES.values())))
    meta = weights / "Comp_v6_KLD005" / "meta"
    meta.mkdir(parents=True)
    np.save(meta / "mean.npy", np.zeros(263))
    np.save(meta / "std.npy", np.full(263, 2.0))
    glove = write_words(tmp_path / "glove")
    return {
        "weights": str(weights),
        "word_vectors": str(glove),
        "sizes": SIZES,
        "max_frames": 196,
        "batch_size": 32,
        "tags": "frequent",
    }


@pytest.fixture
def store(tmp_path):
    clips = [feature_clip(f"c{i}", frames=20, seed=i, captions=(CAPTION,)) for i in range(3)]
    return build_store(FakeSource(clips), tmp_path / "store", progress=False)


def make(store, settings, **changes):
    return T2MPublished(**{**settings, **changes}).make(store, 0, lambda line: None)


def test_the_stage_keeps_it_in_our_own_format(tmp_path, store, settings):
    target = f"{T2MPublished.__module__}.T2MPublished"
    stage = EvaluatorStage(OmegaConf.create({"_target_": target, **settings}), seed=0)
    context = StageContext(
        stage="evaluator",
        signature="0",
        folder=tmp_path / "run",
        parents={},
        store=store,
        log=lambda line: None,
    )
    assert stage.run(context) == {}
    loaded, made = load_evaluator(tmp_path / "run" / "evaluator"), make(store, settings)
    assert loaded.fingerprint == made.fingerprint and loaded.description == made.description
    clips = [store.features(i) for i in range(3)]
    np.testing.assert_array_equal(loaded.motion_embeddings(clips), made.motion_embeddings(clips))
    said = ["a man walks left", CAPTION]
    np.testing.assert_array_equal(loaded.text_embeddings(said), made.text_embeddings(said))
    assert not list((tmp_path / "run").rglob("*.pkl")), "nothing that needs unpickling"


def test_captions_keep_their_tokens_and_sentences_are_tagged(store, settings):
    made = make(store, settings)
    assert made.description["words"] == "glove" and made.description["tags"] == "data"
    assert made.description["sentence_tags"] == "frequent"
    given = made.token_embeddings([CAPTION.tokens.split()])
    other = Caption("quite another sentence", CAPTION.tokens)
    np.testing.assert_array_equal(made.text_embeddings([other]), given)
    np.testing.assert_array_equal(made.text_embeddings(["A man walks slowly."]), given)
    untagged = make(store, settings, tags="none").text_embeddings(["A man walks slowly."])
    assert np.abs(untagged - given).max() > 1e-3


def test_what_an_embedding_depends_on_changes_the_fingerprint(tmp_path, store, settings):
    found = [make(store, settings).fingerprint, make(store, settings, tags="none").fingerprint]
    np.save(tmp_path / "t2m" / "Comp_v6_KLD005" / "meta" / "std.npy", np.full(263, 3.0))
    found.append(make(store, settings).fingerprint)
    vectors = np.load(tmp_path / "glove" / "our_vab_data.npy")
    np.save(tmp_path / "glove" / "our_vab_data.npy", vectors + 1)
    found.append(make(store, settings).fingerprint)
    assert len(set(found)) == 4


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("weights", r"set evaluator\.weights=.*t2m\.zip"),
        ("word_vectors", r"set evaluator\.word_vectors=.*glove\.zip"),
    ],
)
def test_an_unset_folder_says_how_to_get_it(store, settings, key, message):
    with pytest.raises(UserError, match=message) as error:
        make(store, settings, **{key: None})
    assert "\n" not in str(error.value)


def test_other_sizes_and_other_words_are_refused(tmp_path, store, settings):
    with pytest.raises(UserError, match="expected shape .* found shape"):
        make(store, settings, sizes={**SIZES, "embedding": 11})
    write_words(tmp_path / "glove", width=6)
    with pytest.raises(UserError, match="word vectors of 6 numbers"):
        make(store, settings)
