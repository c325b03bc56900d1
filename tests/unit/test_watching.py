"""Looks at motions while a model trains: when, what is logged, and which model is kept."""

import json
import time
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from omegaconf import OmegaConf

from evaluation.watching import ValidationJudge
from launch.composition.compose import compose_config
from launch.plans.graph import plan_experiment
from motiongpt.data.build import build_store
from motiongpt.data.synthetic import SyntheticSource
from motiongpt.errors import UserError
from motiongpt.methods.motiongpt.training.looks import check_strategy
from motiongpt.training.stage import Hardware, Processes, StageContext
from motiongpt.training.watching import Looks, Watch


class FakeJudge:
    """Gives the numbers that it is told to, one look after the other."""

    parent = "evaluator"
    better: ClassVar[dict[str, str]] = {"r_top1": "higher", "fid": "lower", "diversity": "real"}

    def __init__(self, *found):
        self.found, self.asked = list(found), []

    def open(self, folder, store):
        """Nothing to open."""

    def numbers(self, clips, captions, motions):
        self.asked.append((list(clips), list(captions), [len(one) for one in motions]))
        return dict(self.found.pop(0)), ["diversity is left out: too few"]


def looks_of(tmp_path, judge, saved, seconds=100.0, **settings):
    watch = Watch(judge, every=10, clips=2, seconds=seconds, **settings)
    said = []
    looks = Looks(
        watch,
        [3, 5],
        ["a person walks", "a person hops"],
        lambda captions: [np.zeros((len(one), 263), np.float32) for one in captions],
        saved.append,
        tmp_path,
        said.append,
    )
    return looks, said


def steps(looks, until, first=1):
    return [step for step in range(first, until + 1) if looks.is_due(step, until)]


def test_it_looks_every_so_often_and_at_the_end(tmp_path):
    looks, _ = looks_of(tmp_path, FakeJudge(), [])
    assert steps(looks, 34) == [10, 20, 30, 34]


def test_numbers_are_kept_and_a_reason_is_said_once(tmp_path):
    judge, saved = FakeJudge({"r_top1": 0.25}, {"r_top1": 0.5}), []
    looks, said = looks_of(tmp_path, judge, saved)
    assert looks.look(10) == {"r_top1": 0.25}
    looks.look(20)
    assert judge.asked[0] == ([3, 5], ["a person walks", "a person hops"], [14, 13])
    assert [line for line in said if "too few" in line] == [
        "  watch: diversity is left out: too few"
    ]
    assert looks.metrics() == {"val/r_top1": 0.5} and not saved
    kept = json.loads((tmp_path / "looks.json").read_text())
    assert kept == {
        "split": "val",
        "looks": {"10": {"r_top1": 0.25}, "20": {"r_top1": 0.5}},
        "best": None,
    }


@pytest.mark.parametrize(("keep", "best"), [("r_top1", 20), ("fid", 10)])
def test_the_best_look_is_kept_whichever_way_is_better(tmp_path, keep, best):
    found = [{"r_top1": 0.2, "fid": 0.1}, {"r_top1": 0.4, "fid": 0.3}, {"r_top1": 0.4, "fid": 0.1}]
    judge, saved = FakeJudge(*found), []
    looks, _ = looks_of(tmp_path, judge, saved, keep=keep)
    for step in (10, 20, 30):
        looks.look(step)
    assert looks.best == best  # an equal one that comes later is no better
    assert saved == [tmp_path / "best"] * (2 if best == 20 else 1)
    assert looks.metrics()["kept_step"] == best
    assert looks.metrics()[f"val/{keep}"] == found[best // 10 - 1][keep]


def test_a_resumed_training_knows_the_best_look(tmp_path):
    saved = []
    looks_of(tmp_path, FakeJudge({"r_top1": 0.5}), saved, keep="r_top1")[0].look(10)
    again, _ = looks_of(tmp_path, FakeJudge({"r_top1": 0.4}), saved, keep="r_top1")
    again.look(20)
    assert again.best == 10 and len(saved) == 1
    assert again.found == {10: {"r_top1": 0.5}, 20: {"r_top1": 0.4}}


@pytest.mark.parametrize(("keep", "looked"), [(None, [40, 45]), ("r_top1", [20, 30, 40, 45])])
def test_a_slow_machine_looks_less_often_where_nothing_depends_on_it(
    tmp_path, monkeypatch, keep, looked
):
    clock = iter([0.0, 25.0])
    looks, _ = looks_of(tmp_path, FakeJudge({"r_top1": 0.5}), [], seconds=10.0, keep=keep)
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    assert looks.is_due(10, 45)
    looks.look(10)  # took 25 seconds of 10
    assert steps(looks, 45, first=11) == looked


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"every": 0}, "watch.every=0: a number above 0"),
        ({"seconds": -1.0}, "watch.seconds=-1.0: a number above 0"),
        ({"keep": "r_top9"}, "watch.keep=r_top9: no such number; valid: r_top1, fid"),
        ({"keep": "diversity"}, "watch.keep=diversity: no such number"),
    ],
)
def test_what_nothing_can_be_watched_with_is_refused(settings, said):
    usual = {"every": 10, "clips": 2, "seconds": 1.0}
    with pytest.raises(UserError, match=said):
        Watch(FakeJudge(), **{**usual, **settings})


def test_a_number_to_keep_that_can_not_be_measured_is_refused(tmp_path):
    looks, _ = looks_of(tmp_path, FakeJudge({"fid": 1.0}), [], keep="r_top1")
    with pytest.raises(UserError, match="watch.keep=r_top1: could not be measured at step 10"):
        looks.look(10)


def test_clips_are_of_the_validation_split_and_the_same_each_time(tmp_path):
    store = build_store(SyntheticSource(clips=60), tmp_path, progress=False)
    watch = Watch(FakeJudge(), every=1, clips=2, seconds=1.0)
    assert watch.chosen(store) == [int(index) for index in store.indices("val")[:2]]


@pytest.mark.parametrize(("world", "strategy"), [(2, "fsdp"), (4, "deepspeed")])
def test_a_model_in_shards_is_not_looked_at(world, strategy):
    def context(world, strategy):
        hardware, processes = Hardware(strategy=strategy), Processes(world=world)
        return StageContext("instruct", "", Path(), {}, None, hardware, processes=processes)

    with pytest.raises(UserError, match=f"watch: .*strategy={strategy} spreads the model over"):
        check_strategy(context(world, strategy))
    check_strategy(context(world, "ddp"))
    check_strategy(context(1, strategy))


class FakeEmbedder:
    """Embeds a motion by its length and a caption by what it says of it."""

    def motions(self, clips, keep=False):
        import torch

        return torch.tensor([[float(len(clip)), 0.0] for clip in clips])

    def sentences(self, captions, keep=False):
        import torch

        return torch.tensor([[float(caption.split()[-1]), 0.0] for caption in captions])


def test_the_judge_finds_motions_by_their_captions(tmp_path):
    store = build_store(SyntheticSource(clips=8), tmp_path, progress=False)
    config = compose_config(["watch=motion_metrics", "protocol.scoring.pool=4"])
    judge = ValidationJudge(
        **{
            key: value
            for key, value in config.stage.instruct.watch.judge.items()
            if key != "_target_"
        }
    )
    judge.store, judge.embedder, judge.scorers = store, FakeEmbedder(), None
    clips, lengths = [0, 1, 2, 3], [40, 50, 60, 70]
    motions = [np.zeros((length, 263), np.float32) for length in lengths]
    right, reasons = judge.numbers(clips, [f"takes {length}" for length in lengths], motions)
    assert right["r_top1"] == 1.0 and "fid" in right and not reasons
    wrong, _ = judge.numbers(clips, [f"takes {length}" for length in lengths[::-1]], motions)
    assert wrong["r_top1"] == 0.0
    few, reasons = judge.numbers(clips[:2], ["takes 40", "takes 50"], motions[:2])
    assert "r_top1" not in few and "r_precision is left out: R-precision in pools" in reasons[0]


def test_a_metric_of_other_outputs_is_refused():
    config = compose_config(["watch=motion_metrics"])
    node = OmegaConf.create({"ade": config.metrics.ade})
    with pytest.raises(UserError, match=r"watch\.judge\.metrics\.ade: judges continuation"):
        ValidationJudge(node, config.protocol.scoring)


def signatures(*words):
    plan = plan_experiment(compose_config([*words, "goal=instruct"]), Path(), "f")
    return {stage.run.stage: stage.run.signature for stage in plan}


def test_watching_is_off_and_changes_the_signature_of_its_stage_alone():
    plain, watched = signatures(), signatures("watch=motion_metrics")
    assert "watch" not in compose_config().stage.instruct and "evaluator" not in plain
    assert {name for name in plain if plain[name] != watched[name]} == {"instruct"}
    kept = compose_config(["watch=best_r_precision", "stage.instruct.watch.keep=fid"])
    assert kept.stage.evaluate.facts.best_on_val_by == "fid"
    assert "best_on_val_by" not in compose_config().stage.evaluate.facts
    with pytest.raises(UserError, match="method mdm has no watch"):
        compose_config(["method=mdm", "watch=motion_metrics"])
