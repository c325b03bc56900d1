"""What a plan is said to cost: by runs of the same kind, or not at all."""

import json
from dataclasses import asdict, replace

import pytest

from launch.jobs.estimate import Job, cost_lines, planned_job
from launch.jobs.resources import Resources
from launch.plans.graph import recorded_settings
from launch.runs.attempts import claimed
from motiongpt.training.machine import Machine, machine_of
from motiongpt.training.stage import Hardware
from tests.unit.plans import planned

HERE = Machine("H200", 8, 8, 0)
RESOURCES = Resources(gpus=4, nodes=2, minutes=120)
UNKNOWN = "GPU hours not known: no earlier run of the same model, batch, data and hardware"


def stage(root, signature, codes=512, parents=(), **settings):
    schedule = {"steps": 72_000, "batch_size": 32, **settings.pop("schedule", {})}
    made = {"backbone": {"width": 8}, "learning_rate": 1e-3, "codebook_size": codes, **settings}
    return planned(root, "pretrain", signature, parents, schedule=schedule, **made)


def finish(one, machine, rate=2.0):
    with claimed(one.run, lambda line: None) as attempt:
        attempt.set_state("running", machine=asdict(machine))
        (attempt.folder / "config.json").write_text(json.dumps(recorded_settings(one)))
        progress = {"step": 10, "steps": 10, "steps_per_second": rate}
        (attempt.folder / "progress.json").write_text(json.dumps(progress))
        attempt.publish({})


def costs(root, *stages, machine=HERE):
    return cost_lines([Job(one, RESOURCES, machine) for one in stages], root)


def test_a_run_of_the_same_kind_tells(tmp_path):
    finish(stage(tmp_path, "old"), HERE)
    other = stage(tmp_path, "new", learning_rate=1.0, seed=7, schedule={"validate_every": 1})
    assert costs(tmp_path, other) == [
        "80 GPU hours expected, by earlier runs on H200; 16 if every job runs to its time limit"
    ]


@pytest.mark.parametrize(
    ("settings", "machine"),
    [
        ({"backbone": {"width": 768}}, HERE),
        ({"schedule": {"batch_size": 16}}, HERE),
        ({"schedule": {"precision": "bf16-mixed"}}, HERE),
        ({"hardware": {"compile": True}}, HERE),
        ({"a_new_option": 1}, HERE),
        ({}, replace(HERE, device="A100")),
        ({}, replace(HERE, gpus=1, processes=1)),
        ({}, Machine("EPYC", 0, 1, 2)),
    ],
)
def test_a_run_of_another_kind_tells_nothing(tmp_path, settings, machine):
    finish(stage(tmp_path, "old"), HERE)
    (line,) = costs(tmp_path, stage(tmp_path, "new", **settings), machine=machine)
    assert line.startswith(UNKNOWN)


def test_what_a_stage_builds_on_and_its_data_count_too(tmp_path):
    parents = [[planned(tmp_path, "tokens", f"t{rate}", rate=rate)] for rate in (1, 4)]
    finish(stage(tmp_path, "old", parents=parents[0]), HERE)
    assert "80 GPU" in costs(tmp_path, stage(tmp_path, "new", parents=parents[0]))[0]
    assert costs(tmp_path, stage(tmp_path, "new", parents=parents[1]))[0].startswith(UNKNOWN)
    elsewhere = stage(tmp_path, "new", parents=parents[0])
    config = elsewhere.config.copy()
    config.data.name = "another"
    assert costs(tmp_path, replace(elsewhere, config=config))[0].startswith(UNKNOWN)


def test_a_cluster_does_not_say_ahead_which_machine_and_the_rest_is_named(tmp_path):
    finish(stage(tmp_path, "old"), HERE)
    jobs = [stage(tmp_path, "new"), stage(tmp_path, "wide", codes=1024)]
    (line,) = costs(tmp_path, *jobs, machine=replace(HERE, device=""))
    assert line.startswith("80 GPU hours expected, by earlier runs on H200 (1 of 2 jobs have no")


def test_runs_that_do_not_say_where_they_ran_tell_nothing(tmp_path):
    one = stage(tmp_path, "old")
    finish(one, HERE)
    status = one.run.folder / "status.json"
    facts = json.loads(status.read_text())
    del facts["machine"]
    status.write_text(json.dumps(facts))
    assert costs(tmp_path, stage(tmp_path, "new"))[0].startswith(UNKNOWN)


def test_what_has_no_steps_is_judged_by_its_whole_time_on_the_same_data(tmp_path):
    old, new = (planned(tmp_path, "tokens", name) for name in ("old", "new"))
    cpu = Machine("EPYC", 0, 1, 2)
    finish(old, cpu, rate=0.0)
    job = Job(new, Resources(cpus=2, minutes=None), cpu)
    assert "CPU hours expected, by earlier runs on EPYC" in cost_lines([job], tmp_path)[0]
    other = replace(job, stage=replace(new, fingerprint="another"))
    assert "not known" in cost_lines([other], tmp_path)[0]


def test_a_stage_runs_on_the_machine_that_was_planned(tmp_path):
    ran = machine_of(Hardware(accelerator="cpu", threads=3), 1)
    planned_on = planned_job(planned(tmp_path, "tokens", "t"), Resources(cpus=3), here=True)
    assert planned_on.machine == ran and ran.device


def test_what_is_made_anew_has_all_its_steps_to_go(tmp_path):
    old = stage(tmp_path, "old")
    finish(old, HERE)
    (said,) = costs(tmp_path, replace(old, again=True))
    assert said.startswith("80 GPU hours")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.json", "{"),
        ("config.json", '{"config": {"stage": []}, "data": {}}'),
        ("status.json", '{"state": "finished", "machine": {"gpus": 8}}'),
        ("status.json", '{"state": "finished", "machine": 8}'),
        ("progress.json", '{"steps_per_second": "fast"}'),
    ],
)
def test_a_damaged_run_tells_nothing(name, content, tmp_path):
    old = stage(tmp_path, "old")
    finish(old, HERE)
    (old.run.folder / name).write_text(content)
    (said,) = costs(tmp_path, stage(tmp_path, "new"))
    assert said.startswith(UNKNOWN) or name == "progress.json"
