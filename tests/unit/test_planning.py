import json
import shutil
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from launch.composition import compose, datasets, overrides, points
from launch.composition.compose import Composer, compose_by_hydra
from launch.composition.overrides import expand
from launch.composition.points import compose_points
from launch.plans.graph import plan_experiment, recorded_settings
from launch.plans.planning import plan_point, plan_sweep
from motiongpt.errors import UserError

SWEEPS = {
    "values": ["stage.tokenizer.learning_rate=1e-4,2e-4,3e-4", "seed=1,2", "debug=tiny"],
    "groups": ["downsampling=1,8", "backbone=t5_tiny,gpt2_tiny", "tasks=all,translation"],
    "mixture": ["downsampling=2,4", "tokenizer=vq_vae,vq_vae_small", "tokenizer.codebook_size=8,9"],
    "added": ["+note=a,b", "+stage.tokenizer.extra={deep: [1, two]}", "++seed=5", "goal=tokenizer"],
    "deleted": ["~decoding@protocol.motiongpt.text_decoding", "~shown", "tasks=all,prediction"],
    "nested": ["quantizer@tokenizer.quantizer=ema,reset,standard", "tokenizer=vq_vae,vq_vae_small"],
    "experiments": ["experiment=quickstart,bandai_small", "debug=tiny", "downsampling=2,4"],
    "protocols": [
        "protocol=ours,motiongpt_release",
        "decoding@protocol.motiongpt.completion_decoding=greedy,beams",
        "captions=coco,nlg_metricverse",
    ],
    "lists": ["metrics=[all,bert_score],[fid]", "goal=[tokenizer,pretrain],[evaluate]"],
    "references": ["seed='${tokenizer.codebook_size}',7", "group='a ${data.name}-${seed}'"],
    "launchers": ["launcher=local,slurm", "trainer=cpu,default", "logger=none"],
}
QUICK = {"values", "deleted", "nested", "references"}


def flat(config):
    """Everything, in order; JSON tells 1 from 1.0 and from true."""
    return json.dumps(OmegaConf.to_container(config, resolve=True))


def same_as_plain(sweep, every=1, composer=None):
    """Compare each point, or every second, third .. of them: the plain way takes its time."""
    composer = composer or Composer()
    for number, point in enumerate(sweep):
        if number % every:
            composer.compose(point)
            continue
        try:
            plain, said = compose_by_hydra(point), ""
        except UserError as error:
            plain, said = None, str(error)
        if plain is None:
            with pytest.raises(UserError) as caught:
                composer.compose(point)
            assert str(caught.value) == said and "\n" not in said
            continue
        fast = composer.compose(point)
        assert flat(fast.config) == flat(plain) == json.dumps(fast.plain), point
        assert OmegaConf.is_readonly(fast.config) and OmegaConf.is_struct(fast.config)
        plans = [
            plan_experiment(plain, Path("data"), "f", "p"),
            plan_experiment(fast.config, Path("data"), "f", "p", fast.plain),
        ]
        assert plans[0] and [recorded_settings(stage) for stage in plans[0]] == [
            recorded_settings(stage) for stage in plans[1]
        ]
        assert [stage.run for stage in plans[0]] == [stage.run for stage in plans[1]]
    return composer


@pytest.fixture(scope="module")
def composer():
    """One for several sweeps, so that they could get into each other's way."""
    return Composer()


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(words, id=name, marks=[] if name in QUICK else pytest.mark.slow)
        for name, words in SWEEPS.items()
    ],
)
def test_the_fast_way_is_the_plain_way(words, composer):
    sweep = expand(words)
    same_as_plain(sweep, 3 if len(sweep) > 4 else 1, composer)


@pytest.mark.parametrize(
    "wrong",
    [
        "downsampling=3",
        "data=1.5",
        "data=null",
        "sede=3",
        "stage.tokenizer.schedul.steps=3",
        "seed='${nowhere}'",
        "seed='${seed}'",
        "seed='${paths.nothing}'",
        "++data=synthetic",
        "+data=synthetic",
        "~backbone",
        "+seed=3",
        "stage.pretrain.backbone.width=64",
        "just words",
    ],
)
def test_a_wrong_point_is_named_as_ever(wrong, composer):
    same_as_plain([["downsampling=8", wrong]], composer=composer)


def test_settings_of_hydra_itself_are_left_to_it():
    same_as_plain([["hydra.job.name=x"], ["seed=1", "hydra/job_logging=none"]])


@pytest.fixture
def strange_conf(tmp_path, monkeypatch):
    """conf/ with what this project's files don't do, but anybody's may."""
    conf = tmp_path / "conf"
    shutil.copytree(overrides.CONF, conf)
    monkeypatch.setattr(overrides, "CONF", conf)

    def write(name, text):
        (conf / name).parent.mkdir(exist_ok=True)
        (conf / name).write_text(text)

    head = "# @package _global_\n"
    # over what is a reference elsewhere; a reference to its own neighbour
    write("experiment/over.yaml", head + "stage: {evaluate: {protocol: {clips: 7}}}\n")
    write("experiment/tuned.yaml", head + "hydra: {sweeper: {max_batch_size: 3}}\nseed: 6\n")
    write("experiment/near.yaml", head + "seed: 5\nnear: {one: 1, two: '${.one}'}\n")
    # a choice that chooses for another group
    write("experiment/other.yaml", head + "defaults: [{override /backbone: gpt2_tiny}]\n")
    write("debug/also.yaml", head + "defaults: [{override /backbone: gpt2}]\n")
    # a choice that depends on another group's
    write("hint/all.yaml", "text: all\n")
    write("hint/prediction.yaml", "text: prediction\n")
    write("tokenizer/hinted.yaml", "defaults: [vq_vae, {/hint@hint: '${tasks}'}]\nwidth: 8\n")
    # a choice that brings a group of its own
    write("tokenizer/plain.yaml", "defaults: [vq_vae, {/hint@hint: all}]\nwidth: 8\n")
    return conf


def test_files_that_reach_into_each_other(strange_conf):
    sweep = expand(["experiment=over,near,other", "debug=also", "tokenizer=plain"])
    same_as_plain([*sweep, ["experiment=tuned"]], every=2)


def test_a_choice_that_depends_on_another_is_hydras(strange_conf):
    composer = same_as_plain(expand(["tasks=all,prediction", "tokenizer=hinted"]))
    found = composer.compose(["tasks=prediction", "tokenizer=hinted"])
    assert found.plain["tokenizer"]["hint"]["text"] == "prediction"


def test_hydra_composes_each_combination_of_choices_once(monkeypatch):
    composed = []
    real = compose.compose
    monkeypatch.setattr(
        compose, "compose", lambda *given, **more: (composed.append(1), real(*given, **more))[1]
    )
    compose_points(expand(["downsampling=1,2", "seed=1,2,3", "+note=x", "goal=tokenizer"]))
    assert len(composed) == 2


def test_processes_compose_what_one_does(monkeypatch):
    sweep = expand(["seed=1,2,3", "downsampling=1,8"])
    one = compose_points(sweep)
    monkeypatch.setattr(points, "SHARED_FROM", 0)
    monkeypatch.setattr(points.os, "sched_getaffinity", lambda process: {0, 1})
    several = compose_points(sweep)
    assert [point.plain for point in several] == [point.plain for point in one]
    assert [flat(point.config) for point in several] == [flat(point.config) for point in one]
    with pytest.raises(UserError, match="sede=2: no such option|sede: no such option"):
        compose_points([*sweep, ["sede=2"], ["sede=3"]])


@pytest.mark.parametrize(
    "words",
    [
        ["seed=1", "++seed=2"],
        ["++stage.tokenizer.schedule={steps: 3, more: 1}", "stage.tokenizer.schedule.steps=4"],
        ["stage.tokenizer.schedule.steps=4", "++stage.tokenizer.schedule={steps: 3}"],
        ["shown=[a]", "~shown"],
        ["choices={a: b}", "seed=4"],
    ],
)
def test_words_that_have_to_do_with_each_other_keep_their_order(words):
    same_as_plain([words])


def test_a_sweep_is_planned_as_each_of_its_points_and_data_is_looked_up_once(monkeypatch):
    asked = []

    def found(config):
        asked.append(str(config.data.name))
        return Path("stores") / config.data.name, f"fingerprint of {config.data.name}"

    monkeypatch.setattr(datasets, "ensure_store", found)
    sweep = expand(["data=synthetic,kit", "tokenizer.width=8,16", "debug=tiny"])
    plans = plan_sweep(sweep)
    assert asked == ["synthetic", "kit"]
    assert plans == [plan_point(point) for point in sweep]
    assert plans[0][0].needed_for == ("data=synthetic tokenizer.width=8 debug=tiny",)


def test_files_that_are_signed_are_read_once(monkeypatch, tmp_path):
    monkeypatch.setattr(datasets, "ensure_store", lambda config: (Path("data"), "f"))
    templates = tmp_path / "templates.json"
    templates.write_text("{}")
    read = []
    real = Path.open
    monkeypatch.setattr(
        Path, "open", lambda path, *a, **b: (read.append(path), real(path, *a, **b))[1]
    )
    sweep = expand(
        [f"tasks.templates={templates}", "stage.tokenizer.window=32,48", "goal=instruct"]
    )
    plan_sweep(sweep[:1])
    once = read.count(templates)
    assert once == 1
    plan_sweep([*sweep[:1] * 3])
    assert read.count(templates) == once + 1
