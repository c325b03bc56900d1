"""Files in MARDM's layout, small and random, become an evaluator of root and positions."""

import numpy as np
import pytest
import torch

from evaluation.evaluators.loading import load_evaluator
from evaluation.evaluators.mardm_published import MEAN, STD, MARDMPublished
from evaluation.evaluators.t2m_networks import N_CONTACTS, T2MNetworks, T2MSizes
from motiongpt.data.build import build_store
from motiongpt.errors import UserError
from motiongpt.preflight import Outlook
from tests.unit.fake_source import FakeSource, feature_clip
from tests.unit.test_evaluator_published import CAPTION, SIZES
from tests.unit.test_t2m_evaluator import write_folder, write_words

SEEN = 67


@pytest.fixture
def settings(tmp_path):
    torch.manual_seed(0)
    write_folder(tmp_path / "t2m", T2MNetworks(T2MSizes(SEEN + N_CONTACTS, *SIZES.values())))
    statistics = tmp_path / "statistics"
    statistics.mkdir()
    np.save(statistics / MEAN, np.arange(SEEN, dtype=np.float32))
    np.save(statistics / STD, np.full(SEEN, 2.0))
    return {
        "weights": str(tmp_path / "t2m"),
        "statistics": str(statistics),
        "word_vectors": str(write_words(tmp_path / "glove")),
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
    return MARDMPublished(**{**settings, **changes}).make(store, 0, lambda line: None)


def test_it_sees_root_and_positions_and_nothing_else(store, settings):
    made = make(store, settings)
    clip = store.features(0)
    found = made.motion_embeddings([clip])
    normalised = torch.from_numpy((clip[None, :, :SEEN] - np.arange(SEEN, dtype=np.float32)) / 2)
    padded = torch.nn.functional.pad(normalised, (0, N_CONTACTS, 0, 4))
    by_hand = made.networks.embed_motion(padded, torch.tensor([20])).detach().numpy()
    np.testing.assert_allclose(found, by_hand, atol=1e-6)
    for feature, seen in ((0, True), (SEEN - 1, True), (SEEN, False), (262, False)):
        changed = clip.copy()
        changed[:, feature] += 1
        difference = np.abs(made.motion_embeddings([changed]) - found).max()
        assert (difference > 1e-6) is np.True_ if seen else difference == 0


def test_saved_and_loaded_it_embeds_the_same(store, settings, tmp_path):
    made = make(store, settings)
    made.save(tmp_path / "saved")
    loaded = load_evaluator(tmp_path / "saved")
    assert loaded.fingerprint == made.fingerprint
    assert loaded.description["name"] == "mardm_published"
    clips = [store.features(i) for i in range(3)]
    np.testing.assert_array_equal(loaded.motion_embeddings(clips), made.motion_embeddings(clips))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"statistics": None}, r"set evaluator\.statistics=FOLDER, utils/eval_mean_std/t2m"),
        ({"statistics": "nowhere"}, r"evaluator\.statistics=nowhere: no eval_mean\.npy here"),
        ({"weights": None}, r"set evaluator\.weights="),
    ],
)
def test_what_is_not_there_is_said_ahead(settings, changes, said):
    with pytest.raises(UserError, match=said):
        MARDMPublished(**{**settings, **changes}).preflight(Outlook())


def test_other_widths_are_refused(store, settings, tmp_path):
    np.save(tmp_path / "statistics" / MEAN, np.zeros(263))
    with pytest.raises(UserError, match=r"eval_mean\.npy: expected 67 real numbers"):
        make(store, settings)
