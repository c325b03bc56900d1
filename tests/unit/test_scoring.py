"""Saved answers to numbers: cases under rules, replications, resuming."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from evaluation.case import Scorers, recover_joints
from evaluation.metrics.base import Metric
from evaluation.metrics.numbers import Number
from evaluation.replications.another_sample import ANOTHER_SAMPLE, AnotherSample
from evaluation.replications.cases import CaseMaker
from evaluation.replications.comparison import (
    CHANCE,
    HOLD,
    HOLD_FIRST,
    LINEAR,
    MEAN_POSE,
    SHUFFLED,
)
from evaluation.replications.left_out import left_out_lines
from evaluation.replications.results import MODEL, REAL
from evaluation.replications.rules import Rules
from evaluation.replications.scoring import Scoring
from evaluation.requests.predictions import About, Outputs, PredictionSet
from motiongpt.data.build import build_store
from motiongpt.data.clip import Caption
from motiongpt.errors import UserError
from tests.unit.fake_source import FakeSource, feature_clip

CLIPS = 5


class Frames(Metric):
    """Mean frames of the motions; a draw on top."""

    kinds = frozenset({"motion", "continuation", "inbetween", "reconstruction", "text"})

    def __init__(self, seed=None):
        super().__init__("frames")
        self.seed = seed
        self.numbers = {"frames": Number("", "higher")} if seed is None else {"drawn": Number()}
        self.updates = 0

    def update(self, batch):
        self.updates += 1
        self.extend_list("frames", torch.tensor([sum(len(case.features) for case in batch.cases)]))

    @property
    def total(self):
        return self.joined_list("frames").sum()

    def compute(self):
        return {"frames" if self.seed is None else "drawn": self.total + (self.seed or 0)}


class Named(Frames):
    """One number out of embeddings."""

    needs = frozenset({"motion"})

    def __init__(self):
        super().__init__()
        self.numbers = {"named": Number()}

    def compute(self):
        return {"named": self.total}


class Failing(Frames):
    """Fails as a metric may of odd data; with a value instead of an error it gives that."""

    def __init__(self, outcome, seed=None):
        super().__init__(seed)
        self.outcome, self.numbers = outcome, {"failing": Number()}

    def compute(self):
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


@pytest.fixture
def store(tmp_path):
    captions = (Caption("A man, walking!", "a/DET man/NOUN walk/VERB"), Caption("He strolls."))
    clips = [
        feature_clip(f"clip{i}", "test" if i else "train", frames=40 + i, seed=i, captions=captions)
        for i in range(CLIPS + 1)
    ]
    return build_store(FakeSource(clips), tmp_path / "store", progress=False)


def saved(folder, store, kind="motion", replications=2, given=(0, 0), lengths=(6,) * CLIPS):
    about = About(
        task="a_task",
        kind=kind,
        fingerprint=store.fingerprint,
        clips=[f"clip{i + 1}" for i in range(CLIPS)],
        frames=[40] * CLIPS,
        given=[given] * CLIPS,
        seeds=list(range(replications)),
    )
    made = PredictionSet.create(folder / "a_task", about)
    for number in range(replications):
        motions = [np.full((n + number, 263), 0.1, np.float32) for n in lengths]
        made.write(number, Outputs([1] * CLIPS, ["?"] * CLIPS, ["x"] * CLIPS, motions))
    return made


def scoring(folder, store, replications=3, rules=None, **metrics):
    return Scoring(
        store=store,
        metrics=metrics,
        rules=rules or Rules(),
        replications=replications,
        seed=100,
        scorers=Scorers(store.skeleton, store.fps, {}),
        embedder=None,
        folder=folder / "kept",
        log=lambda line: None,
    )


def by_name(results):
    return {(result.row, result.metric): result for result in results}


def test_predictions_that_do_not_fit_the_clips_are_one_line(tmp_path, store):
    made = saved(tmp_path, store, replications=1)
    outputs = made.read(0, 263)
    made.write(0, replace(outputs, captions=[0, 2, *outputs.captions[2:]]))
    with pytest.raises(UserError, match="caption 2 asked for clip clip2, which has 2"):
        scoring(tmp_path, store, counts=Frames()).score(made)
    longer = replace(made.about, frames=[40, 99, 40, 40, 40])
    with pytest.raises(UserError, match="99 frames of clip clip2, which has 42"):
        scoring(tmp_path, store, counts=Frames()).score(PredictionSet(made.folder, longer))


def test_replications_are_averaged_and_what_is_not_drawn_counts_once(tmp_path, store):
    counts, drawn = Frames(), Frames(seed=0)
    found, _, cases, _ = scoring(tmp_path, store, counts=counts, drawn=drawn).score(
        saved(tmp_path, store)
    )
    results = by_name(found)
    frames = results[MODEL, "frames"]
    assert frames.values == [30, 35] and frames.value == 32.5 and frames.replications == 2
    assert frames.interval == pytest.approx(1.96 * 2.5 / 2**0.5)
    assert results[REAL, "frames"].values == [200] and results[REAL, "frames"].interval is None
    # the third replication has the last answers that there are, with a draw of its own
    assert results[MODEL, "drawn"].values == [130, 136, 137]
    assert results[REAL, "drawn"].values == [300, 301, 302]
    assert set(cases) == {MODEL, REAL, CHANCE, SHUFFLED}
    assert len(cases[MODEL][0].features) == 6, "the cases shown are of the first replication"


def test_a_number_says_what_judged_it(tmp_path, store):
    found, *_ = scoring(tmp_path, store, frames=Frames()).score(saved(tmp_path, store))
    assert {result.judge for result in found} == {"none"}
    embedder = SimpleNamespace(motions=lambda clips, keep=False: torch.zeros(len(clips), 1))
    judged = replace(scoring(tmp_path / "b", store, named=Named()), embedder=embedder)
    found, *_ = judged.score(saved(tmp_path / "b", store))
    assert {(result.metric, result.judge) for result in found} == {("named", "evaluator")}


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (UserError("R-precision needs 32 clips, there are 5"), "R-precision needs 32"),
        (ZeroDivisionError("float division by zero"), "ZeroDivisionError: float division by zero"),
        (
            torch.linalg.LinAlgError("eigh: did not\nconverge"),
            "LinAlgError: eigh: did not converge",
        ),
        (KeyError("a"), "KeyError: 'a'"),
        ({"failing": torch.tensor(torch.nan)}, "came to nan"),
        ({}, "no clip has what it is computed from"),
    ],
)
def test_a_metric_that_fails_costs_no_other_number(tmp_path, store, outcome, reason):
    made = saved(tmp_path, store)
    alone = scoring(tmp_path / "alone", store, frames=Frames()).score(made)
    metrics = {"failing": Failing(outcome), "frames": Frames()}
    for _ in range(2):  # the second time from what the first has kept
        found = scoring(tmp_path, store, **metrics).score(made)
        assert found.results == alone.results
        assert {one.row for one in found.left_out} == {MODEL, REAL, CHANCE, SHUFFLED}
        assert all(one.metric == "failing" for one in found.left_out)
        assert all(reason in one.reason for one in found.left_out)
    (line,) = left_out_lines(found.left_out)
    assert line.startswith("left out: failing of a_task: ")
    assert "\n" not in line


def test_a_number_that_one_replication_lacks_is_left_out_of_all(tmp_path, store):
    failing = Failing({"failing": torch.tensor(1.0)}, seed=0)
    made = saved(tmp_path, store)
    assert {one.metric for one in scoring(tmp_path, store, failing=failing).score(made).results}
    kept = tmp_path / "kept" / "a_task" / "02.json"
    kept.unlink()
    failing.outcome = UserError("not this time")
    found = scoring(tmp_path, store, failing=failing).score(made)
    assert found.results == [] and {one.reason for one in found.left_out} == {"not this time"}


def test_what_is_no_fault_of_the_outputs_ends_the_scoring(tmp_path, store):
    metric = Failing(OSError(28, "No space left on device"))
    with pytest.raises(OSError):
        scoring(tmp_path, store, failing=metric).score(saved(tmp_path, store))


def test_embeddings_that_cannot_be_had_cost_only_what_needs_them(tmp_path, store):
    def motions(clips, keep=False):
        raise UserError("clip 3 is not finite")

    made = scoring(tmp_path, store, named=Named(), frames=Frames())
    found = replace(made, embedder=SimpleNamespace(motions=motions)).score(saved(tmp_path, store))
    assert {one.metric for one in found.results} == {"frames"}
    assert {(one.metric, one.reason) for one in found.left_out} == {
        ("named", "clip 3 is not finite")
    }


def test_without_an_evaluator_what_needs_one_is_left_out_with_that_reason(tmp_path, store):
    found = scoring(tmp_path, store, named=Named(), frames=Frames()).score(saved(tmp_path, store))
    assert {one.metric for one in found.results} == {"frames"}
    assert {(one.metric, one.reason) for one in found.left_out} == {
        ("named", "there is no evaluator")
    }


def test_two_metrics_with_one_name_are_refused_before_anything_is_scored(tmp_path, store):
    counts, again = Frames(), Frames()
    with pytest.raises(UserError) as caught:
        scoring(tmp_path, store, counts=counts, again=again)
    said = str(caught.value)
    assert said.startswith("metrics.counts and metrics.again both give the number frames of a")
    assert "~metrics.again" in said and "\n" not in said and not counts.updates
    again.kinds = frozenset({"samples"})  # another kind of output has numbers of its own
    assert scoring(tmp_path, store, counts=counts, again=again).metrics["again"] is again


def test_an_interrupted_scoring_goes_on(tmp_path, store):
    counts = Frames()
    made = saved(tmp_path, store)
    whole, *_ = scoring(tmp_path, store, counts=counts).score(made)
    kept = sorted((tmp_path / "kept" / "a_task").glob("*.json"))
    assert len(kept) == 3
    kept[1].unlink()
    counts.updates = 0
    again, *_ = scoring(tmp_path, store, counts=counts).score(made)
    assert again == whole and counts.updates == 1
    assert json.loads(kept[1].read_text())["values"][MODEL] == {"frames": 35.0}


@pytest.mark.parametrize(
    ("kind", "given", "beside"),
    [
        ("motion", (0, 0), {REAL, CHANCE, SHUFFLED}),
        ("text", (0, 0), {REAL, CHANCE}),
        ("continuation", (8, 0), {REAL, HOLD, SHUFFLED}),
        ("inbetween", (8, 8), {REAL, LINEAR, SHUFFLED}),
        ("reconstruction", (0, 0), {REAL, MEAN_POSE, HOLD_FIRST, SHUFFLED}),
    ],
)
def test_every_kind_has_its_comparisons(tmp_path, store, kind, given, beside):
    made = saved(tmp_path, store, kind, replications=1, given=given)
    _, _, cases, _ = scoring(tmp_path, store, frames=Frames()).score(made)
    assert set(cases) == {MODEL, *beside}
    for case in cases[REAL]:
        np.testing.assert_array_equal(case.features, case.reference)


class Apart(Named):
    """A distance of all motions from all real ones."""

    compares_sets = True

    def __init__(self):
        super().__init__()
        self.needs, self.numbers = frozenset({"motion", "reference"}), {"apart": Number()}
        self.add_list("distance")

    def update(self, batch):
        made = batch.embeddings
        apart = (made["motion"].mean(0) - made["reference"].mean(0)).norm()
        self.extend_list("distance", apart[None])

    def compute(self):
        return {"apart": self.joined_list("distance").sum()}


def test_other_real_motion_stands_beside_what_looks_at_sets_alone(tmp_path):
    splits = ["train"] * 12 + ["test"] * CLIPS
    named = [f"train{i}" for i in range(12)] + [f"clip{i + 1}" for i in range(CLIPS)]
    clips = [
        feature_clip(name, split, frames=40, seed=i, captions=(Caption("a"), Caption("b")))
        for i, (name, split) in enumerate(zip(named, splits, strict=True))
    ]
    store = build_store(FakeSource(clips), tmp_path / "store", progress=False)
    train = {store.features(int(i)).tobytes() for i in store.indices("train")}
    asked = []

    def motions(clips, keep=False):
        asked.append([clip.tobytes() for clip in clips])
        return torch.stack([torch.from_numpy(clip).mean(0) for clip in clips])

    made = scoring(tmp_path, store, apart=Apart(), frames=Frames())
    found = replace(made, embedder=SimpleNamespace(motions=motions)).score(saved(tmp_path, store))
    results = by_name(found.results)
    other = results[ANOTHER_SAMPLE, "apart"]
    assert len(set(other.values)) == 3 and min(other.values) > 0, "drawn anew each time"
    assert results[REAL, "apart"].values == [0]
    assert (ANOTHER_SAMPLE, "frames") not in results, "which clip it is of would be looked at"
    drawn = [set(one) for one in asked if set(one) <= train]
    assert len(drawn) == 3 and all(len(one) == CLIPS for one in drawn)
    assert ANOTHER_SAMPLE not in found.cases and not found.left_out


def test_there_is_no_other_sample_where_the_training_split_has_too_few(store):
    assert AnotherSample(store, 1).exists and not AnotherSample(store, 2).exists
    assert not AnotherSample(store, 0).exists


def test_baselines_are_what_they_say(tmp_path, store):
    _, _, cases, _ = scoring(tmp_path, store, frames=Frames()).score(saved(tmp_path, store))
    real, shuffled = cases[REAL][0].features, cases[SHUFFLED][0].features
    assert not np.array_equal(real, shuffled)
    np.testing.assert_array_equal(np.sort(real, axis=0), np.sort(shuffled, axis=0))
    made = saved(tmp_path / "b", store, "inbetween", replications=1, given=(8, 8))
    _, _, cases, _ = scoring(tmp_path / "b", store, frames=Frames()).score(made)
    line = cases[LINEAR][0]
    assert line.features.shape == (39, 263), "features of joints lack the last frame"
    np.testing.assert_allclose(line.joints[:8], line.reference_joints[:8], atol=1e-6)


def test_rules_shape_the_cases(tmp_path, store):
    made = saved(tmp_path, store, replications=1, lengths=(6, 50, 0, 40, 4))
    own = CaseMaker(made, store, Rules(), 0).cases(0)[0]
    assert [len(case.features) for case in own] == [6, 50, 0, 40, 4]
    assert own[0].caption == "He strolls." and own[0].captions[0] == "A man, walking!"
    cut = CaseMaker(made, store, Rules(motion_length="reference"), 0).cases(0)[0]
    assert [len(case.features) for case in cut] == [40] * 5
    np.testing.assert_array_equal(cut[2].features[7], store.mean)
    token = CaseMaker(made, store, Rules(references="token"), 0).cases(0)[0]
    assert token[0].captions == ("a man walk", "he strolls")
    cropped = CaseMaker(made, store, Rules(clip_crop="random_unit"), 0)
    lengths = [len(clip) for clip in cropped.references]
    assert set(lengths) <= {36, 40} and len(set(lengths)) == 2


def test_joints_recovered_together_are_those_recovered_alone(tmp_path, store):
    made = saved(tmp_path, store, replications=1, lengths=(6, 50, 0, 40, 4))
    together, alone = (CaseMaker(made, store, Rules(), 0).cases(0)[0] for _ in range(2))
    recover_joints(together)
    for one, other in zip(together, alone, strict=True):
        assert "joints" in vars(one) and "joints" not in vars(other)
        np.testing.assert_allclose(one.joints, other.joints, atol=1e-5)
        np.testing.assert_allclose(one.reference_joints, other.reference_joints, atol=1e-5)


def test_a_broken_motion_is_named(tmp_path, store):
    made = saved(tmp_path, store, replications=1)
    path = made.folder / "replication_00.npy"
    frames = np.load(path)
    frames[6 + 4, 7] = np.nan
    np.save(path, frames)
    with pytest.raises(UserError, match="replication 0: the motion of clip clip2 .* in frame 4;"):
        scoring(tmp_path, store, frames=Frames()).score(made)
