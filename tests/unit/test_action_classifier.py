import numpy as np
import pytest

from evaluation.evaluators.action_classifier import ActionClassifier
from motiongpt.data.build import build_store
from motiongpt.data.clip import Caption, Clip
from motiongpt.errors import UserError
from tests.unit.fake_source import FakeSource, feature_clip

FEATURE = {"low": 10, "high": 20, "fast": 30}


def clip_of(name, labels, split, frames, rng):
    """Noise, with one bump for each label, in order of time, in the feature that is its own."""
    features = rng.normal(size=(frames, 263)).astype(np.float32)
    part = frames // len(labels)
    for index, label in enumerate(labels):
        features[index * part : (index + 1) * part, FEATURE[label]] += 4
    return Clip(name, split, (Caption("a caption"),), features=features, labels=labels)


def open_store(folder, named=True):
    rng = np.random.default_rng(0)
    choices = [("low",), ("high",), ("fast",), ("low", "fast")]
    clips = [
        clip_of(f"{split}{i}", choices[i % 4], split, int(rng.integers(12, 60)), rng)
        for split, count in (("train", 48), ("val", 4), ("test", 40))
        for i in range(count)
    ]
    words = {label: (label,) for label in FEATURE}
    if not named:
        clips, words = [feature_clip(f"c{i}", frames=20, seed=i) for i in range(3)], {}
    return build_store(FakeSource(clips, action_words=words), folder, progress=False)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return open_store(tmp_path_factory.mktemp("store") / "store")


def train(store, seed=0):
    return ActionClassifier.train(
        store, steps=60, batch_size=16, seed=seed, width=16, log=lambda line: None
    )


@pytest.fixture(scope="module")
def classifier(store):
    return train(store)


def split_of(store, split):
    indices = [int(i) for i in store.indices(split)]
    return [store.features(i) for i in indices], [store.labels(i) for i in indices]


def test_it_recognises_clips_that_it_has_not_seen(store, classifier):
    features, labels = split_of(store, "test")
    assert classifier.labels == ("fast", "high", "low")
    assert classifier.recognises(features, labels).mean() > 0.95
    shifted = labels[1:] + labels[:1]
    assert classifier.recognises(features, shifted).mean() < 0.5


def test_the_length_of_the_others_in_a_batch_changes_nothing(store, classifier):
    features, _ = split_of(store, "test")
    together = classifier.probabilities(features)
    alone = np.concatenate([classifier.probabilities([clip]) for clip in features])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert classifier.probabilities([]).shape == (0, 3)
    assert classifier.probabilities([features[0][:1]]).shape == (1, 3)


def test_one_seed_gives_one_classifier(store, classifier):
    features, _ = split_of(store, "test")
    again, other = train(store), train(store, seed=1)
    assert (again.probabilities(features) == classifier.probabilities(features)).all()
    assert (other.probabilities(features) != classifier.probabilities(features)).any()


def test_saved_and_loaded_it_judges_the_same(store, classifier, tmp_path):
    features, _ = split_of(store, "test")
    classifier.save(tmp_path)
    loaded = ActionClassifier.load(tmp_path)
    assert (loaded.probabilities(features) == classifier.probabilities(features)).all()
    with pytest.raises(UserError, match="no action classifier here"):
        ActionClassifier.load(tmp_path / "absent")


def test_a_label_that_it_never_saw_is_not_recognised(store, classifier):
    features, labels = split_of(store, "test")
    single = [clip for clip, shown in zip(features, labels, strict=True) if shown == ("low",)]
    assert not classifier.recognises(single, [("unheard",)] * len(single)).any()


def test_without_labels_there_is_nothing_to_learn(tmp_path):
    with pytest.raises(UserError, match="no training clip carries a label"):
        train(open_store(tmp_path / "store", named=False))
