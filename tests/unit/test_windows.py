import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from motiongpt.data.build import build_store
from motiongpt.data.windows import FeatureWindows, collate_windows
from motiongpt.errors import UserError
from tests.unit.fake_source import FakeSource, feature_clip


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    clips = [
        feature_clip(name, split, frames, seed)
        for seed, (name, split, frames) in enumerate(
            [
                ("long", "train", 90),
                ("short", "train", 20),
                ("exact", "train", 32),
                ("val", "val", 50),
            ]
        )
    ]
    return build_store(FakeSource(clips), tmp_path_factory.mktemp("w") / "s", progress=False)


def normalised(store, index: int) -> np.ndarray:
    return (store.features(index) - store.mean) / store.std


def test_window_is_a_normalised_piece_of_the_clip(store):
    windows = FeatureWindows(store, 32)
    whole = normalised(store, 0)
    starts = set()
    for seed in range(200):
        features, length = windows[0, seed]
        assert features.shape == (32, 263)
        assert features.dtype == torch.float32
        assert length == 32
        start = int(np.argmin(np.abs(whole[:, 0] - features[0, 0].item())))
        np.testing.assert_allclose(features.numpy(), whole[start : start + 32], atol=1e-6)
        starts.add(start)
    assert min(starts) == 0
    assert max(starts) == 58


def test_seed_alone_decides_the_window(store):
    first, _ = FeatureWindows(store, 32)[0, 7]
    np.random.seed(3)
    torch.manual_seed(3)
    windows = FeatureWindows(store, 32)
    windows[0, 1]
    assert torch.equal(windows[0, 7][0], first)
    assert not torch.equal(windows[0, 8][0], first)


def test_short_clip_is_padded_with_the_mean_and_its_length_said(store):
    features, length = FeatureWindows(store, 32)[1, 0]
    assert length == 20
    np.testing.assert_allclose(features[:20].numpy(), normalised(store, 1), atol=1e-6)
    assert not features[20:].any()


def test_short_clips_can_be_left_out(store):
    assert FeatureWindows(store, 32).indices("train").tolist() == [0, 1, 2]
    skipping = FeatureWindows(store, 32, short="skip")
    assert skipping.indices("train").tolist() == [0, 2]
    assert (skipping.left_out("train"), skipping.left_out("val")) == (1, 0)


def test_unknown_treatment_of_short_clips_names_the_known(store):
    with pytest.raises(UserError, match="pad, skip"):
        FeatureWindows(store, 32, short="drop")


def test_batches_are_the_same_whatever_the_workers(store):
    keys = [[(0, 5), (1, 6)], [(2, 7), (0, 8)]]
    windows = FeatureWindows(store, 32)

    def batches(workers: int):
        return list(
            DataLoader(windows, batch_sampler=keys, num_workers=workers, collate_fn=collate_windows)
        )

    for here, there in zip(batches(0), batches(2), strict=True):
        assert here["features"].shape == (2, 32, 263)
        assert torch.equal(here["features"], there["features"])
        assert torch.equal(here["lengths"], there["lengths"])
    assert batches(0)[0]["lengths"].tolist() == [32, 20]
