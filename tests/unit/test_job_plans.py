"""From stages to jobs: resources, arrays, estimates, plan files, records, snapshots, the lock."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import launch
from launch.jobs import submission_lock
from launch.jobs.plan_file import planned_as_json, read_planned
from launch.jobs.resources import Resources, resources_for, with_resources
from launch.jobs.state import JobState
from launch.jobs.submission_lock import submitting
from launch.jobs.work import Work
from launch.runs.attempts import claimed
from launch.runs.ledger import Run
from launch.runs.owner import Owner
from launch.runs.snapshot import take_snapshot
from launch.slurm.batches import batches_of
from launch.slurm.commands import _elements, said
from launch.sweeps.cleaning import find_waste
from launch.sweeps.overview import _ranges
from launch.sweeps.record import make_sweep, read_sweep
from launch.sweeps.table import table_of
from motiongpt.errors import UserError
from tests.unit.plans import planned


def finish(run, metrics, **files):
    with claimed(run, lambda line: None) as attempt:
        for name, text in files.items():
            place = attempt.folder / name.replace("__", "/")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        attempt.publish(metrics)


def test_resources_of_a_stage_are_the_common_ones_and_its_own(tmp_path):
    stage = planned(tmp_path, "pretrain", "p", schedule={"batch_size": 32})
    found = resources_for(stage, {"gpus": 1, "cpus": 4}, {"pretrain": {"nodes": 2, "gpus": 8}})
    assert (found.world, found.per_node, found.cpus) == (16, 8, 4)
    placed = with_resources(stage, found)
    assert placed.settings["hardware"] == {"devices": 8, "num_nodes": 2}
    assert with_resources(stage, Resources()).settings["hardware"]["accelerator"] == "cpu"


def test_a_stage_that_cannot_be_shared_gets_one_process_and_one_gpu(tmp_path):
    stage = planned(tmp_path, "tokens", "t")
    found = resources_for(stage, {"gpus": 4, "nodes": 2, "memory_gb": 9}, {})
    assert (found.world, found.gpus, found.memory_gb) == (1, 1, 9)


def test_a_batch_that_the_processes_cannot_share_is_refused(tmp_path):
    stage = planned(tmp_path, "pretrain", "p", schedule={"batch_size": 32})
    with pytest.raises(
        UserError,
        match="batch_size=32 can't be shared by 3 processes; the nearest that can: 30 and 33",
    ):
        resources_for(stage, {"processes": 3}, {})
    with pytest.raises(UserError, match="gpu: no such resource; valid: nodes, gpus"):
        resources_for(stage, {"gpu": 3}, {})


def test_arrays_hold_stages_that_are_alike_and_come_after_what_they_wait_for(tmp_path):
    tokenizers = [planned(tmp_path, "tokenizer", f"k{i}") for i in range(3)]
    tokens = [planned(tmp_path, "tokens", f"t{i}", [one]) for i, one in enumerate(tokenizers)]
    # The first tokenizer has its result: its tokens could begin at once, yet are in the one array.
    stages = [tokens[0], *tokenizers[1:], *tokens[1:]]
    big = dict.fromkeys((one.run.signature for one in stages), Resources())
    found = batches_of(stages, big, largest=10)
    assert [(one.stage, len(one.stages)) for one in found] == [("tokenizer", 2), ("tokens", 3)]
    assert found[1].waits_for() == ["tokenizer"]
    assert [len(one.stages) for one in batches_of(stages, big, largest=2)] == [2, 2, 1]
    other = {**big, "k1": Resources(gpus=4)}
    assert sorted(len(one.stages) for one in batches_of(stages, other, largest=10)) == [1, 1, 3]


def test_stages_that_build_on_each_other_differently_still_come_in_order(tmp_path):
    one = planned(tmp_path, "tokenizer", "a")
    two = planned(tmp_path, "tokens", "b", [one])
    three = planned(tmp_path, "tokenizer", "c", [two])
    stages = [one, two, three]
    given = dict.fromkeys("abc", Resources())
    order = [
        stage.run.signature for batch in batches_of(stages, given, 10) for stage in batch.stages
    ]
    assert order == ["a", "b", "c"]


def test_a_plan_file_gives_the_same_stage_back(tmp_path, monkeypatch):
    parent = planned(tmp_path, "tokenizer", "k")
    stage = planned(tmp_path, "tokens", "t", [parent], views={"a": [0.0, 0.2]})
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "plan.json"
    file.write_text(planned_as_json(stage))
    found = read_planned(file)
    assert found.run == stage.run and found.parents == stage.parents
    assert found.settings == stage.settings and found.config == stage.config
    with pytest.raises(UserError, match="no such file; submit the sweep again"):
        read_planned(tmp_path / "nothing.json")


def test_a_sweep_has_the_same_name_for_the_same_experiments(tmp_path):
    plans = [[planned(tmp_path, "tokenizer", name)] for name in "ab"]
    points = [["seed=1"], ["seed=2"]]
    sweep = make_sweep(tmp_path, ["run", "-m", "seed=1,2"], points, plans)
    assert make_sweep(tmp_path, ["run"], points[::-1], plans[::-1]).name == sweep.name
    assert make_sweep(tmp_path, ["run"], points[:1], plans[:1]).name != sweep.name
    assert sweep.group == sweep.name and sweep.command == "motiongpt run -m seed=1,2"
    sweep.write()
    assert read_sweep(tmp_path, "test-") == sweep
    work = Work(sweep.root, sweep.name, sweep.folder, sweep.group, plans[0], str)
    first, second = work.new_submission(), work.new_submission()
    assert (first.name, second.name) == ("0001", "0002")
    with pytest.raises(UserError, match=f"no such sweep .* the latest: {sweep.name}"):
        read_sweep(tmp_path, "other")


def test_a_single_experiment_keeps_its_own_group_and_a_named_group_wins(tmp_path):
    plan = [[planned(tmp_path, "tokenizer", "a")], [planned(tmp_path, "tokenizer", "b")]]
    assert make_sweep(tmp_path, ["run"], [[]], plan[:1]).group == "test"
    words = [["group=mine", "seed=1"], ["group=mine", "seed=2"]]
    assert make_sweep(tmp_path, ["run"], words, plan).group == "test"


def test_the_table_has_a_row_a_result_and_a_column_an_axis(tmp_path):
    plans = [[planned(tmp_path, "tokenizer", name)] for name in "abc"]
    points = [["data=x", f"seed={i}"] for i in range(3)]
    sweep = make_sweep(tmp_path, ["run"], points, plans)
    for name, value in (("a", 1.0), ("c", 3.0)):
        finish(Run(tmp_path, "tokenizer", name), {"val/loss": value, "other": 7.0})
    table = table_of(sweep).only(["val/*", "nothing"])
    assert table.columns() == ["seed", "stage", "signature", "val/loss"]
    assert table.cells() == [["0", "tokenizer", "a", 1.0], ["2", "tokenizer", "c", 3.0]]
    assert "| 2 | tokenizer | c | 3 |" in table.as_markdown()
    assert table_of(sweep).as_csv().splitlines()[1] == "0,tokenizer,a,1.0,7.0"


def test_a_snapshot_is_the_code_and_made_once(tmp_path):
    folder = take_snapshot(tmp_path)
    assert take_snapshot(tmp_path) == folder
    assert (folder / "launch/jobs/job.py").read_text() == Path(
        launch.__path__[0], "jobs", "job.py"
    ).read_text()
    assert set(json.loads((folder / "source.json").read_text())) == {"git_commit", "git_dirty"}
    code = (
        "import launch, motiongpt; from launch.runs.sources import git_state; "
        "from launch.composition.overrides import CONF; print(launch.__file__, CONF, git_state())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(folder), "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.count(str(folder)) == 2
    assert str(json.loads((folder / "source.json").read_text())) in done.stdout


def test_a_snapshot_that_cannot_be_written_leaves_nothing(tmp_path):
    (tmp_path / "code").write_text("a file in the way")
    with pytest.raises(OSError):
        take_snapshot(tmp_path)
    assert [one.name for one in tmp_path.iterdir()] == ["code"]


def test_one_submission_at_a_time_and_a_dead_one_is_no_obstacle(tmp_path):
    said_lines = []
    with submitting(tmp_path, said_lines.append):
        assert Owner.read(tmp_path / ".submitting" / "0001") == Owner.this_process()
        program = (
            "from pathlib import Path; from launch.jobs.submission_lock import submitting\n"
            f"with submitting(Path({str(tmp_path)!r}), lambda line: print(line, flush=True)):\n"
            "    import os; print('in', flush=True); os._exit(9)"
        )
        other = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        assert "waiting: another submission" in other.stdout.readline()
        time.sleep(0.6)
        assert other.poll() is None
    assert other.stdout.readline() == "in\n"
    assert other.wait() == 9
    other.stdout.close()
    with submitting(tmp_path, said_lines.append):
        (folder,) = (tmp_path / ".submitting").iterdir()
    assert folder.name == "0003" and said_lines == []


def test_an_owner_that_was_taken_for_dead_finds_the_lock_lost_and_leaves_its_successors(
    tmp_path, monkeypatch
):
    with submitting(tmp_path, print) as check:
        check()
        monkeypatch.setattr(submission_lock, "is_alive", lambda *_: False)  # as after a minute
        with submitting(tmp_path, print) as check_of_successor:
            with pytest.raises(UserError, match="another went on in its place"):
                check()
            check_of_successor()
            with submitting(tmp_path, print) as check_of_third:
                pass
            with pytest.raises(UserError, match="another went on in its place"):
                check_of_successor()
    check_of_third()
    (folder,) = (tmp_path / ".submitting").iterdir()
    assert folder.name == "0003"


def test_clean_takes_checkpoints_and_left_overs_and_never_what_is_referred_to(tmp_path):
    parent, child = Run(tmp_path, "tokenizer", "k"), Run(tmp_path, "tokens", "t")
    finish(parent, {}, **{"checkpoints__last.ckpt": "x" * 10})
    finish(child, {}, **{"config.json": json.dumps({"parents": {"tokenizer": "k"}})})
    left = parent.attempts / "0001"
    left.mkdir(parents=True)
    found = {str(one.path.relative_to(tmp_path)): one for one in find_waste(tmp_path)}
    assert set(found) == {"runs/tokenizer/k/checkpoints/last.ckpt", "attempts/tokenizer/k"}
    for one in found.values():
        one.delete()
    assert find_waste(tmp_path) == [] and parent.is_finished
    assert [one.path for one in find_waste(tmp_path, -1.0)] == [child.folder]
    sweep = make_sweep(tmp_path, ["run"], [[]], [[planned(tmp_path, "tokens", "t")]])
    sweep.write()
    assert find_waste(tmp_path, -1.0) == []


def test_what_slurm_says_is_read(tmp_path):
    assert _elements("12") == ["12"] and _elements("12_3") == ["12_3"]
    assert _elements("12_[0-2,7]") == ["12_0", "12_1", "12_2", "12_7"]
    assert said("sbatch: error: a\nsbatch: error: a\nallocation failure: b\n") == (
        "a; allocation failure: b"
    )
    assert str(JobState("FAILED", "node1", "0:9")) == "failed on node1, exit status 0:9"
    assert not JobState("RUNNING").is_live and JobState("RUNNING").is_settling
    assert _ranges([1, 2, 3, 5, 8, 9]) == "1-3,5,8-9"
