"""What is wrong with the finished runs of a plan, and making them anew."""

import json
from argparse import Namespace

import pytest

from launch.commands.run import _command
from launch.runs import code
from launch.runs.attempts import claimed
from launch.runs.code import changed_files, write_code
from launch.sweeps.reused import check_undamaged, made_again, reused_lines
from motiongpt.errors import UserError
from tests.unit.plans import TARGETS, planned


def finish(stage):
    """Publish a run with a model, made by the code as it is."""
    with claimed(stage.run, str) as attempt:
        (attempt.folder / "model").mkdir()
        (attempt.folder / "model" / "weights.safetensors").write_bytes(b"12345678")
        write_code(attempt.folder, stage.settings, [])
        attempt.publish({})


@pytest.fixture
def plan(tmp_path):
    """tokenizer <- tokens <- pretrain, of which the first two are finished."""
    tokenizer = planned(tmp_path, "tokenizer", "a" * 16)
    tokens = planned(tmp_path, "tokens", "b" * 16, [tokenizer])
    pretrain = planned(tmp_path, "pretrain", "c" * 16, [tokenizer, tokens])
    finish(tokenizer)
    finish(tokens)
    return [tokenizer, tokens, pretrain]


def test_of_a_sound_plan_nothing_is_said(plan):
    assert reused_lines(plan) == []
    check_undamaged(plan)


@pytest.mark.parametrize(
    "damage",
    [lambda file: file.unlink(), lambda file: file.write_bytes(b""), lambda f: f.write_bytes(b"1")],
    ids=["gone", "emptied", "truncated"],
)
def test_a_damaged_model_is_found_by_the_plan(damage, plan):
    damage(plan[0].run.folder / "model" / "weights.safetensors")
    (line,) = reused_lines(plan)
    assert line.startswith("tokenizer aaaa") and "finished, but model/weights.safetensors" in line
    assert line.endswith("run with --again tokenizer")
    with pytest.raises(UserError, match="--again tokenizer"):
        check_undamaged(plan)
    check_undamaged(made_again(plan, ["tokenizer"]))
    finish(plan[2])
    check_undamaged(plan)  # nothing that is to run needs it


def test_a_damaged_status_of_a_finished_run_is_found_too(plan):
    (plan[1].run.folder / "status.json").write_bytes(b"\xff")
    with pytest.raises(UserError, match=r"status.json is damaged: run with --again tokens"):
        check_undamaged(plan)
    again = made_again(plan, ["tokens"])
    check_undamaged(again)
    plan[1].run.outdate()
    finish(plan[1])
    assert plan[1].run.is_finished


def test_a_run_of_other_code_is_listed_with_the_files_that_differ(plan, monkeypatch):
    name = "motiongpt/codecs/vq_vae/losses.py"
    now = {**code.hashes(), name: "other"}
    monkeypatch.setattr(code, "hashes", lambda: now)
    (line,) = reused_lines(plan)
    assert line.startswith("tokenizer: was made by other code") and name in line
    assert "--again tokenizer" in line
    del now[name]
    assert changed_files(plan[0].run) == [name]


def test_a_stage_uses_what_its_class_imports_and_its_settings_name(tmp_path):
    settings = {
        "_target_": TARGETS["tokenizer"],
        "network": {"_target_": "motiongpt.codecs.vq_vae.network.VQVAE"},
    }
    write_code(tmp_path, settings, ["motiongpt.text_encoders.small"])
    used = json.loads((tmp_path / "code.json").read_text())
    for name in (
        "motiongpt/codecs/vq_vae/stage.py",
        "motiongpt/codecs/vq_vae/network.py",
        "motiongpt/codecs/__init__.py",
        "motiongpt/training/fit.py",
        "motiongpt/text_encoders/small.py",
    ):
        assert name in used
    others = ("motiongpt/api", "motiongpt/methods/mld", "motiongpt/codecs/actor/", "evaluation/")
    assert not any(name.startswith(others) for name in used)
    write_code(tmp_path, {"_target_": TARGETS["pretrain"]}, [])
    used = json.loads((tmp_path / "code.json").read_text())
    assert "motiongpt/methods/motiongpt/tasks/templates/instructions.json" in used


def test_again_takes_what_follows_and_only_what_is_there(plan):
    assert [one.again for one in made_again(plan, [])] == [False, False, False]
    assert [one.again for one in made_again(plan, ["tokens"])] == [False, True, False]
    again = made_again(plan, ["tokenizer"])
    assert [one.again for one in again] == [True, True, False]
    assert not any(one.finished for one in again)
    assert plan[0].run.is_finished, "a plan writes nothing"
    with pytest.raises(
        UserError, match="--again decoder: no such stage in this plan; it has tokenizer"
    ):
        made_again(plan, ["decoder"])


def test_the_command_that_goes_on_does_not_begin_again():
    flags = {"multirun": True, "dry_run": False, "wait": False, "again": ["tokenizer"]}
    assert _command(Namespace(overrides=["a=1", "b=2"], **flags)) == ["run", "-m", "a=1", "b=2"]
