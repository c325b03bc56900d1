"""Several sources as one: their stores joined, their clips weighted, each judged by name."""

import numpy as np
import pytest

from launch.cli import main
from launch.composition.compose import compose_config
from launch.composition.datasets import ensure_stores, known_stores
from launch.plans.planning import plan_point, plan_sweep
from motiongpt.data.build import build_store
from motiongpt.data.clip import BadClip
from motiongpt.data.humanml3d import HumanML3DSource
from motiongpt.data.mix.source import MixSource
from motiongpt.data.mix.store import build_mix
from motiongpt.data.statistics import mean_and_std
from motiongpt.data.store import MotionStore
from motiongpt.data.synthetic import SyntheticSource
from motiongpt.errors import UserError
from motiongpt.motion.skeleton import HUMANML3D
from motiongpt.training.sampler import StepBatchSampler


def point(root, *words):
    """A mix of two synthetic sets, of which one is called other."""
    return [
        "data=mix", "+data@data.members.other=synthetic", "+data.weights.other=3",
        "data.weights.bandai_namco=0", "data.weights.cmu_captioned=0",
        "data.members.synthetic.source.clips=30", "data.members.other.source.clips=20",
        "data.members.other.source.seed=1", f"paths.root={root}", *words,
    ]  # fmt: skip


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """Folder, and the stores of two sources, in it."""
    folder = tmp_path_factory.mktemp("stores")
    return folder, {
        name: build_store(SyntheticSource(clips, seed), folder / name, progress=False)
        for name, clips, seed in (("a", 24, 0), ("b", 16, 1))
    }


@pytest.fixture(scope="module")
def mixed(two):
    folder, members = two
    return build_mix(members, {"a": 1.0, "b": 3.0}, folder / "mix", name="mix")


def test_it_has_the_clips_of_its_members_and_their_frames(two, mixed):
    folder, members = two
    assert len(mixed) == 40 and not (folder / "mix" / "features.npy").exists()
    assert mixed.names[0] == f"a--{members['a'].names[0]}"
    assert mixed.names[39] == f"b--{members['b'].names[15]}"
    for index in range(40):
        store, at = (members["a"], index) if index < 24 else (members["b"], index - 24)
        np.testing.assert_array_equal(mixed.features(index), store.features(at))
        np.testing.assert_array_equal(mixed.features(index, 3, 9), store.features(at, 3, 9))
        assert mixed.captions(index) == store.captions(at)
        assert mixed.labels(index) == store.labels(at)
        assert mixed.splits[index] == store.splits[at]
    assert mixed.weights.tolist() == [1.0] * 24 + [3.0] * 16
    again = MotionStore.open(folder / "mix")
    assert again.fingerprint == mixed.content_fingerprint() == mixed.fingerprint
    assert members["a"].weights is None


def test_its_statistics_are_those_of_what_training_sees(two, mixed):
    _, members = two
    frames = [
        [store.features(int(index)) for index in store.indices("train")]
        for store in members.values()
    ]
    counts = [len(clips) for clips in frames]
    total = counts[0] + 3 * counts[1]
    means = [np.concatenate(clips).mean(0, dtype=np.float64) for clips in frames]
    expected = (counts[0] * means[0] + 3 * counts[1] * means[1]) / total
    np.testing.assert_allclose(mixed.mean, expected, rtol=1e-4, atol=1e-5)
    assert not np.allclose(mixed.mean, members["a"].mean, atol=1e-3)


def test_one_member_alone_has_its_own_statistics(two):
    folder, members = two
    alone = build_mix({"a": members["a"]}, {"a": 2.0}, folder / "alone", name="alone")
    store = members["a"]
    clips = [store.features(int(index)) for index in store.indices("train")]
    mean, std = mean_and_std(lambda: clips, HUMANML3D)
    np.testing.assert_array_equal(alone.mean, mean)
    np.testing.assert_array_equal(alone.std, std)


def test_the_fingerprint_knows_weights_and_members(two, mixed):
    folder, members = two
    same = build_mix(members, {"a": 1.0, "b": 3.0}, folder / "same", name="mix")
    other = build_mix(members, {"a": 1.0, "b": 2.0}, folder / "other", name="mix")
    assert same.fingerprint == mixed.fingerprint != other.fingerprint


def test_a_member_that_was_made_anew_is_noticed(tmp_path):
    members = {"a": build_store(SyntheticSource(12, 0), tmp_path / "a", progress=False)}
    build_mix(members, {"a": 1.0}, tmp_path / "mix", name="mix")
    build_store(SyntheticSource(12, 5), tmp_path / "a", progress=False)
    with pytest.raises(UserError, match="its member .*a is another store than the one"):
        MotionStore.open(tmp_path / "mix")


def test_clips_are_drawn_as_often_as_their_weights_say():
    weights = np.array([1.0] * 60 + [4.0] * 10)
    sampler = StepBatchSampler(np.arange(100, 170), 10, seed=3, weights=weights)
    epochs = [
        [clip for step in range(7 * epoch, 7 * epoch + 7) for clip, _ in sampler.batch(step)]
        for epoch in range(20)
    ]
    counts = np.bincount(np.concatenate(epochs), minlength=170)[100:]
    assert counts.sum() == 1400 and all(len(drawn) == 70 for drawn in epochs)
    assert counts[:60].sum() == pytest.approx(840, abs=20)  # 60 of 100 parts
    assert set(np.bincount(epochs[0], minlength=170)[160:]) <= {2, 3}  # 4 x 70 / 100
    assert epochs[0] != epochs[1]
    alike = StepBatchSampler(np.arange(70), 10, seed=3, weights=np.ones(70))
    drawn = [clip for step in range(7) for clip, _ in alike.batch(step)]
    assert sorted(drawn) == list(range(70))
    with pytest.raises(ValueError, match="weighted clips need shuffle"):
        StepBatchSampler(np.arange(70), 10, seed=3, weights=np.ones(70), shuffle=False)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("root")


def test_training_reads_the_mix_and_judging_one_member(root):
    plan = {stage.run.stage: stage for stage in plan_point(point(root, "data.evaluate_on=other"))}
    trained, judged = ensure_stores(compose_config(point(root, "data.evaluate_on=other")))
    for name, stage in plan.items():
        judges = name in ("evaluator", "classifier", "generate", "reconstruct", "evaluate")
        assert (stage.data, stage.fingerprint) == (judged if judges else trained), name
    assert plan["evaluate"].settings["data"] == "other"
    assert plan["evaluate"].settings["facts"]["trained_on"] == "mix"
    store = MotionStore.open(trained[0])
    assert len(store) == 50 and set(store.weights) == {1.0, 3.0}
    assert MotionStore.open(judged[0]).fingerprint == judged[1] != trained[1]


def test_the_members_are_those_of_data_alone(root):
    """Same store and same evaluator; training is shared by all that are judged."""
    mixes = plan_sweep([point(root, f"data.evaluate_on={one}") for one in ("synthetic", "other")])
    alone = plan_point(["data=synthetic", "data.source.clips=30", f"paths.root={root}"])
    first, second = ({one.run.stage: one.run for one in plan} for plan in mixes)
    own = {one.run.stage: one.run for one in alone}
    assert first["evaluator"] == own["evaluator"] != second["evaluator"]
    assert first["tokenizer"] == second["tokenizer"] != own["tokenizer"]
    assert first["evaluate"] != second["evaluate"]
    unjudged = known_stores(compose_config(point(root / "empty")))
    assert [fingerprint for _, fingerprint in unjudged] == ["", ""]
    assert not (root / "empty").exists()


@pytest.mark.parametrize(("word", "says"), [
    ("data.evaluate_on=kit", "data.evaluate_on=kit: no source of the mix; it has synthetic, "),
    ("+data.weights.kit=1", "data.weights.kit: no source of the mix; it has synthetic, bandai_namco"),
    ("data.weights.synthetic=-1", "data.weights.synthetic=-1: expected a number, 0 or more"),
    ("data.members.other.fps=10", "data.members.other: skeleton humanml3d at 10 fps, in a mix of"),
    ("+data@data.members.kit=kit", None), ("data.weights.bandai_namco=1",
        "data.members.bandai_namco, whose options begin so (data.weights.bandai_namco=0 leaves it"),
])  # fmt: skip
def test_wrong_names_and_weights_are_one_line(root, word, says, capsys):
    given = point(root, word)
    words = [one for one in given if one == word or not one.startswith(word.partition("=")[0])]
    status = main(["data", "prepare", *words])
    error = capsys.readouterr().err.strip().splitlines()
    if says is None:  # a member without a weight is left out
        assert status == 0
        return
    assert status == 2 and len(error) == 1
    assert says in error[0]


def test_all_weights_zero_and_a_skeleton_of_another_kind():
    members = {"a": {"source": SyntheticSource(4, 0)}}
    with pytest.raises(UserError, match="all are 0; give one of a a weight"):
        MixSource(members, {"a": 0}, "a")
    kit = HumanML3DSource("nowhere", "kit", fps=20.0)
    with pytest.raises(
        UserError, match=r"data.members.b: skeleton kit at 20 fps, in a mix of human"
    ):
        MixSource({**members, "b": {"source": kit}}, {"a": 1, "b": 1}, "a")


def test_verify_names_the_sources(root, capsys):
    assert main(["data", "verify", *point(root)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line for line in said if line.endswith(":")] == ["synthetic:", "other:"]
    assert said.count("all good") == 2
    source = MixSource(
        {name: {"source": SyntheticSource(3, seed)} for name, seed in (("a", 0), ("b", 1))},
        {"a": 1, "b": 1}, "a",
    )  # fmt: skip
    names = [clip.name for clip in source.clips() if not isinstance(clip, BadClip)]
    assert len(source) == len(names) == 6 and names[3].startswith("b--")


def test_published_features_of_another_rate_are_made_anew(tmp_path):
    rng = np.random.default_rng(0)
    store = build_store(SyntheticSource(8, 0), tmp_path / "s", progress=False)
    folder = tmp_path / "set"
    (folder / "new_joint_vecs").mkdir(parents=True)
    (folder / "texts").mkdir()
    names = [f"{index:06}" for index in range(4)]
    for index, name in enumerate(names):
        np.save(folder / "new_joint_vecs" / f"{name}.npy", store.features(index)[:90])
        (folder / "texts" / f"{name}.txt").write_text("a person walks#a/DET#0.0#0.0\n")
    for split, of_split in (("train", names[:2]), ("val", names[2:3]), ("test", names[3:])):
        (folder / f"{split}.txt").write_text("\n".join(of_split))
    np.save(folder / "Mean.npy", rng.normal(size=263).astype(np.float32))
    np.save(folder / "Std.npy", np.ones(263, np.float32))
    settings = {"fps": 20.0, "files_fps": 30.0, "min_frames": 20}
    with pytest.raises(UserError, match="data.source.resample=true makes them anew"):
        HumanML3DSource(str(folder), **settings)
    source = HumanML3DSource(str(folder), resample=True, **settings)
    assert source.published_statistics() is None
    clip = next(clip for clip in source.clips() if not isinstance(clip, BadClip))
    assert clip.features is None
    given = len(np.load(folder / "new_joint_vecs" / f"{clip.name}.npy"))
    assert len(clip.joints) == (given - 1) * 2 // 3 + 1
    same = HumanML3DSource(str(folder), resample=True, fps=30.0, files_fps=30.0, min_frames=20)
    assert next(iter(same.clips())).features is not None
    assert same.published_statistics() is not None
