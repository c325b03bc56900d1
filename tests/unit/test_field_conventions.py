"""Conventions that a slip in one line would break without a sound: each is checked by its effect.

What the field means by its numbers, and that what is drawn is drawn among all of it and by its
shares.
"""

import json
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from omegaconf import OmegaConf

from evaluation.evaluator_stage import real_retrieval
from evaluation.evaluators import text_motion_matching
from evaluation.evaluators.base import MAX_WORDS
from evaluation.evaluators.learned_words import LearnedWords
from evaluation.evaluators.t2m_networks import T2MNetworks, T2MSizes
from evaluation.evaluators.training_clips import TrainingClips
from evaluation.leaderboard.comparability import differences
from evaluation.leaderboard.published import PublishedProtocol
from evaluation.metrics import diversity, multimodality, retrieval
from evaluation.metrics.multimodality import MultiModality
from evaluation.metrics.numbers import Number
from evaluation.replications.cases import CaseMaker
from evaluation.replications.results import MODEL, Result
from evaluation.replications.rules import Rules
from evaluation.reports.results_file import read_results
from evaluation.requests.predictions import Outputs, PredictionSet
from launch.composition.build import build
from launch.composition.compose import compose_config
from motiongpt.data.build import build_store
from motiongpt.data.clip import Caption
from motiongpt.methods.motiongpt.tasks.example import Example
from motiongpt.methods.motiongpt.tasks.pretraining_mix import PretrainingMix
from motiongpt.methods.motiongpt.training import language_stages
from motiongpt.training.start import Start
from tests.unit.clip_tokens import VOCABULARY, K, make_clip
from tests.unit.fake_source import FakeSource, feature_clip
from tests.unit.results_files import facts, number, write
from tests.unit.test_embedder import make as make_embedder
from tests.unit.test_predictions import ABOUT
from tests.unit.test_tasks import make_mix

CAPTIONS = ("first one", "second one", "third one")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Clips of 43 frames with three captions each."""
    clips = [
        feature_clip(f"{split}{i}", split, 43, i, captions=tuple(map(Caption, CAPTIONS)))
        for split in ("train", "val")
        for i in range(36)
    ]
    return build_store(FakeSource(clips), tmp_path_factory.mktemp("c") / "s", progress=False)


def near(count, of, share):
    """Whether a count is what a share gives, within four standard deviations of a draw."""
    return abs(count - of * share) < 4 * np.sqrt(of * share * (1 - share))


def test_the_interval_is_that_of_the_field_to_the_last_constant():
    # 1.96 standard deviations that divide by n, over the root of n: T2M's own evaluation code.
    values = [1.0, 2.0, 4.0, 5.0]
    found = Result.of("t", MODEL, "m", values, Number(), 9, "none")
    assert found.interval == pytest.approx(1.96 * np.sqrt(2.5) / 2, rel=1e-12)
    assert found.value == 3.0 and found.replications == 4


def test_the_constants_of_the_fields_protocol():
    settings = compose_config(["protocol=guo2022"])
    protocol = settings.protocol
    assert protocol.replications == 20 and protocol.requests.caption == "random"
    assert protocol.requests.multiple == 4 and protocol.scoring.clip_crop == "random_unit"
    assert (retrieval.POOL, retrieval.TOP, protocol.scoring.pool) == (32, 3, 32)
    assert protocol.scoring.diversity_pairs == Rules().diversity_pairs == 300
    assert multimodality.PAIRS == protocol.scoring.multimodality_pairs == 10
    several = protocol.requests.multimodality
    assert (several.texts, several.samples) == (100, 30)
    assert MAX_WORDS == protocol.scoring.text_words == 20
    metrics = {str(name): build(node) for name, node in settings.metrics.items()}
    assert metrics["multimodality"].pairs == 10 and metrics["r_precision"].pool == 32
    assert {one.pairs for one in metrics.values() if isinstance(one, diversity.Diversity)} == {300}


def test_words_that_an_evaluator_reads_are_part_of_what_is_kept(tmp_path):
    # One file of kept embeddings serves all protocols of a data set and an evaluator.
    _, twenty = make_embedder(tmp_path, text_words=20)
    twenty.sentences(["a man walks"], keep=True)
    twenty.save()
    evaluator, forty = make_embedder(tmp_path, text_words=40)
    assert forty.sentences(["a man walks"])[0, 1] == 40 and evaluator.asked == 1
    _, again = make_embedder(tmp_path, text_words=20)
    assert again.sentences(["a man walks"])[0, 1] == 20 and again.computed == 0


def test_multimodality_depends_on_its_evaluator(tmp_path):
    metric = MultiModality()
    assert metric.judge == "evaluator" and metric.needs == {"samples"}
    mine = number(metric="multimodality", judge=metric.judge)
    run = read_results(write(tmp_path / "now", mine))
    (first,) = run.results
    published = PublishedProtocol(evaluator="another", words="glove")
    (found,) = differences(run, first, published, {})
    assert found.part == "evaluator"
    earlier = facts(mine, schema=1)
    earlier["experiment"] |= earlier.pop("method")["facts"]
    earlier["results"] = [
        {"method": one.pop("row"), **{k: v for k, v in one.items() if k != "judge"}}
        for one in earlier["results"]
    ]
    path = tmp_path / "results.json"
    path.write_text(json.dumps(earlier))
    (old,) = read_results(path).results
    assert old.judge == "evaluator", "in files from before numbers said it, too"


def test_t2ms_crop_loses_four_more_frames_once_in_three(store, tmp_path):
    clips = TrainingClips(store, 196, print)
    draw = np.random.default_rng(0)
    trained = Counter(len(clips.crop(0, draw)) for _ in range(3000))
    assert set(trained) == {36, 40} and near(trained[36], 3000, 1 / 3)

    names = [name for name in store.names if name.startswith("val")]
    about = replace(
        ABOUT, fingerprint=store.fingerprint, clips=names, frames=[43] * 36, given=[(0, 0)] * 36
    )
    made = PredictionSet.create(tmp_path / "set", about)
    rules = Rules(clip_crop="random_unit")
    scored = Counter(
        len(clip) for seed in range(80) for clip in CaseMaker(made, store, rules, seed).references
    )
    assert set(scored) == {36, 40} and near(scored[36], 80 * 36, 1 / 3)


def objective(text, rng):
    return Example("objective", text)


def test_objectives_are_drawn_by_their_shares():
    clip = make_clip()
    caption, motion = clip.captions[0], VOCABULARY.write(clip.codes)

    def drawn(**shares):
        mix, rng = PretrainingMix(K, objective, **shares), np.random.default_rng(0)
        return Counter(
            (one.input if one.input == "objective" else one.target)
            for one in (mix.example(clip, rng) for _ in range(2000))
        )

    found = drawn(unsupervised=0.1, text_to_motion=0.3, motion_to_text=0.6)
    assert near(found["objective"], 2000, 0.1) and near(found[motion], 2000, 0.3)
    assert near(found[caption], 2000, 0.6)
    assert set(drawn(unsupervised=0, text_to_motion=1, motion_to_text=0)) == {motion}
    assert set(drawn(unsupervised=1, text_to_motion=0, motion_to_text=0)) == {"objective"}


def test_materials_of_the_unsupervised_objective_are_drawn_by_their_shares():
    clip, rng = make_clip(), np.random.default_rng(0)
    only = {"unsupervised": 1.0, "text_to_motion": 0.0, "motion_to_text": 0.0}
    shares = {"caption": 1.0, "motion": 3.0, "both": 0.0}
    mix = PretrainingMix(K, objective, **only, materials=shares)
    found = Counter(mix.example(clip, rng).target for _ in range(2000))
    assert set(found) == {clip.captions[0], VOCABULARY.write(clip.codes)}
    assert near(found[clip.captions[0]], 2000, 0.25)


def test_the_shares_of_an_experiment_reach_what_draws_by_them(store, monkeypatch):
    wanted = {"unsupervised": 0.1, "text_to_motion": 0.2, "motion_to_text": 0.7}
    overrides = [f"stage.pretrain.objectives.{name}={share}" for name, share in wanted.items()]
    settings = compose_config(overrides).stage.pretrain
    arguments = ("optimizer", "learning_rate", "scheduler", "schedule", "seed")
    stage = language_stages.PretrainStage(
        backbone=OmegaConf.create({"_target_": "builtins.dict", "_partial_": True}),
        codebook_size=K,
        objectives=settings.objectives,
        **{name: settings[name] for name in arguments},
    )
    kept = []
    monkeypatch.setattr(stage, "train", lambda backbone, mix, *_: kept.append(mix) or {})
    tokens = SimpleNamespace(open=lambda _: SimpleNamespace(check_codebook=lambda size: None))
    monkeypatch.setattr(language_stages, "TokenStore", tokens)
    monkeypatch.setattr(language_stages, "unsupervised_objective", lambda backbone: objective)
    stage.run(SimpleNamespace(parents={"tokens": store.folder}, store=store, start=Start()))
    assert kept[0].shares == wanted


def test_training_examples_draw_among_all_captions():
    clip, rng = make_clip(captions=CAPTIONS), np.random.default_rng(0)
    mix = PretrainingMix(K, objective, unsupervised=0, text_to_motion=0, motion_to_text=1)
    found = Counter(mix.example(clip, rng).target for _ in range(900))
    assert set(found) == set(CAPTIONS) and all(near(n, 900, 1 / 3) for n in found.values())
    tasks, seen = make_mix(), Counter()
    for _ in range(900):
        said = tasks.example(clip, rng)
        seen.update(one for one in CAPTIONS if one in (said.input + said.target).lower())
    assert set(seen) == set(CAPTIONS) and min(seen.values()) > 0.25 * sum(seen.values())


class Listening:
    """Takes the place of what embeds, and remembers the sentences that it was asked for."""

    def __init__(self):
        self.heard = Counter()
        self.description = {"max_frames": 196}

    def motion_embeddings(self, clips):
        return np.eye(len(clips), dtype=np.float32)

    def text_embeddings(self, captions):
        self.heard.update(str(caption) for caption in captions)
        return np.eye(len(captions), dtype=np.float32)


def test_an_evaluators_own_score_draws_among_all_captions(store):
    listening = Listening()
    for seed in range(10):
        real_retrieval(listening, store, "val", seed)
    assert set(listening.heard) == {str(Caption(text)) for text in CAPTIONS}
    assert all(near(count, 360, 1 / 3) for count in listening.heard.values())


def test_an_evaluator_is_trained_on_all_captions(store, monkeypatch):
    heard = Counter()

    class Words(LearnedWords):
        def batch(self, sentences, *rest):
            heard.update(sentences)
            return super().batch(sentences, *rest)

    monkeypatch.setattr(
        text_motion_matching, "train_steps", lambda name, of, loss, *_: [loss() for _ in range(9)]
    )
    sizes = T2MSizes(store.n_features, **dict.fromkeys(
        ("movement_hidden", "movement", "motion_hidden", "text_hidden", "word", "embedding"), 4
    ))  # fmt: skip
    text_motion_matching.train_matching(
        T2MNetworks(sizes),
        Words(list(CAPTIONS), 4, 1, 0.0),
        TrainingClips(store, 40, print),
        text_motion_matching.MatchingSettings(steps=9, batch_size=36, learning_rate=1e-3),
        np.random.default_rng(0),
    )
    assert set(heard) == set(CAPTIONS) and all(near(n, 324, 1 / 3) for n in heard.values())


def test_the_caption_that_asked_is_the_one_that_is_judged(store, tmp_path):
    names = [name for name in store.names if name.startswith("val")][:3]
    about = replace(
        ABOUT, fingerprint=store.fingerprint, clips=names, frames=[40] * 3, given=[(0, 0)] * 3
    )
    made = PredictionSet.create(tmp_path / "set", about)
    motions = [np.zeros((9, 263), np.float32)] * 3
    made.write(0, Outputs([2, 0, 1], [""] * 3, [""] * 3, motions))
    cases, asked = CaseMaker(made, store, Rules(), 0).cases(0)
    assert [case.caption for case in cases] == [CAPTIONS[2], CAPTIONS[0], CAPTIONS[1]]
    assert [caption.text for caption in asked] == [case.caption for case in cases]
    assert cases[0].captions == CAPTIONS, "sentences are compared with all of them"
