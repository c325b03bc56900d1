import numpy as np
import pytest

from evaluation.evaluators.action_classifier import ActionClassifier
from evaluation.evaluators.action_training import Training, train_classifier
from evaluation.perturbations.base import perturbations_by_name
from motiongpt.data.build import build_store
from motiongpt.data.clip import Caption, Clip
from motiongpt.errors import UserError
from tests.unit.fake_source import FakeSource, feature_clip

FEATURE = {"low": 10, "high": 20, "fast": 30}


def clip_of(name, labels, split, frames, rng):
    """Noise, with one bump for each label, in order of time, in the feature that is its own."""
    features = 0.5 * rng.normal(size=(frames, 263)).astype(np.float32)
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


def train(store, seed=0, negatives=("shuffled_in_time",), steps=120, **changes):
    settings = {"real_per_negative": 8, "width": 16} | changes
    chosen = perturbations_by_name(negatives)
    training = Training(steps=steps, batch_size=16, negatives=chosen, seed=seed, **settings)
    return train_classifier(store, training, log=lambda line: None)


@pytest.fixture(scope="module")
def classifier(store):
    return train(store)


def split_of(store, split):
    indices = [int(i) for i in store.indices(split)]
    return [store.features(i) for i in indices], [store.labels(i) for i in indices]


def test_it_recognises_clips_that_it_has_not_seen(store, classifier):
    features, labels = split_of(store, "test")
    assert classifier.labels == ("fast", "high", "low")
    assert classifier.recognises(features, labels).mean() > 0.8
    shifted = labels[1:] + labels[:1]
    assert classifier.recognises(features, shifted).mean() < 0.5


def test_it_finds_itself_how_many_actions_there_are(store, classifier):
    features, labels = split_of(store, "test")
    found = classifier.actions(features)
    assert {len(one) for one in found} >= {1, 2}
    assert np.mean([len(one) == len(two) for one, two in zip(found, labels, strict=True)]) > 0.8
    # one of two actions is not the clip's, and noise shows none
    both = [clip for clip, shown in zip(features, labels, strict=True) if len(shown) == 2]
    assert not classifier.recognises(both, [("low",)] * len(both)).any()
    rng = np.random.default_rng(0)
    noise = [0.5 * rng.normal(size=(40, 263)).astype(np.float32) for _ in range(8)]
    assert np.mean([len(one) == 0 for one in classifier.actions(noise)]) > 0.7


def ramp_store(folder):
    """Two actions that have the same frames and differ in their order alone."""
    rng = np.random.default_rng(1)

    def clip(i, split):
        frames = int(rng.integers(30, 50))
        features = rng.normal(size=(frames, 263)).astype(np.float32) * 0.3
        order = 1 if i % 2 else -1
        features[:, 40:60] += np.linspace(-3, 3, frames)[::order, None]
        label = "rise" if i % 2 else "fall"
        return Clip(f"{split}{i}", split, (Caption(label),), features=features, labels=(label,))

    clips = [clip(i, split) for split, n in (("train", 64), ("test", 30)) for i in range(n)]
    words = {"rise": ("rise",), "fall": ("fall",)}
    return build_store(FakeSource(clips, action_words=words), folder, progress=False)


def test_it_sees_the_order_of_frames(tmp_path):
    store = ramp_store(tmp_path / "store")
    features, labels = split_of(store, "test")
    rng = np.random.default_rng(0)
    shuffled = [rng.permutation(clip) for clip in features]
    backward = [clip[::-1].copy() for clip in features]
    other = [("fall",) if shown == ("rise",) else ("rise",) for shown in labels]
    judge = train(store)
    assert judge.recognises(features, labels).mean() > 0.9
    assert judge.recognises(backward, other).mean() > 0.9, "what rises backward falls"
    assert judge.recognises(shuffled, labels).mean() < 0.2
    assert np.mean([not shown for shown in judge.actions(shuffled)]) > 0.7


def test_a_change_that_cannot_be_told_from_real_clips_costs_no_label(store, classifier):
    # the bump of one action fills its clip: shuffled, it is another clip of the same action
    features, labels = split_of(store, "test")
    features = [clip for clip, shown in zip(features, labels, strict=True) if len(shown) == 1]
    labels = [shown for shown in labels if len(shown) == 1]
    rng = np.random.default_rng(0)
    for clips in (features, [rng.permutation(clip) for clip in features]):
        assert classifier.recognises(clips, labels).mean() > 0.85
    with pytest.raises(UserError, match="real_per_negative=1: at least 2"):
        train(store, real_per_negative=1)


def test_the_length_of_the_others_in_a_batch_changes_nothing(store, classifier):
    features, _ = split_of(store, "test")
    together = classifier.probabilities(features)
    alone = np.concatenate([classifier.probabilities([clip]) for clip in features])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    odd, even = features[0][:11], features[0][:12]
    pair = classifier.probabilities([odd, even])
    np.testing.assert_allclose(pair[0], classifier.probabilities([odd])[0], atol=1e-6)
    assert classifier.probabilities([]).shape == (0, 3)
    assert classifier.probabilities([features[0][:1]]).shape == (1, 3)


def test_one_seed_gives_one_classifier(store):
    features, _ = split_of(store, "test")
    one, again, other = (train(store, seed=seed, steps=10) for seed in (0, 0, 1))
    assert (again.probabilities(features) == one.probabilities(features)).all()
    assert (other.probabilities(features) != one.probabilities(features)).any()


def test_saved_and_loaded_it_judges_the_same(store, classifier, tmp_path):
    features, _ = split_of(store, "test")
    classifier.save(tmp_path)
    loaded = ActionClassifier.load(tmp_path)
    assert (loaded.probabilities(features) == classifier.probabilities(features)).all()
    with pytest.raises(UserError, match="no action classifier here"):
        ActionClassifier.load(tmp_path / "absent")


def test_one_of_an_earlier_version_is_named_as_such(classifier, tmp_path):
    from safetensors.torch import load_file, save_file

    classifier.save(tmp_path)
    file = tmp_path / "classifier.safetensors"
    state = load_file(file)
    del state["stem.bias"]
    save_file(state, file)
    with pytest.raises(UserError, match="of an earlier version, which did not see the order"):
        ActionClassifier.load(tmp_path)


def test_a_label_that_it_never_saw_is_not_recognised(store, classifier):
    features, labels = split_of(store, "test")
    single = [clip for clip, shown in zip(features, labels, strict=True) if shown == ("low",)]
    assert not classifier.recognises(single, [("unheard",)] * len(single)).any()


def test_without_labels_there_is_nothing_to_learn(tmp_path):
    with pytest.raises(UserError, match="no training clip carries a label"):
        train(open_store(tmp_path / "store", named=False))
