"""Resuming a sweep whose defaults were edited since."""

import shutil

import pytest

from launch.cli import main
from launch.composition import overrides
from launch.sweeps.record import sweep_names

SWEEP = ["run", "-m", "debug=tiny", "launcher=slurm", "downsampling=2,4", "goal=tokens"]


@pytest.fixture
def conf(tmp_path, monkeypatch):
    """A copy of conf/, to be edited."""
    folder = tmp_path / "conf"
    shutil.copytree(overrides.CONF, folder)
    monkeypatch.setattr(overrides, "CONF", folder)
    return folder


def edit(file, before, after):
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))


def resumed(root, slurm, capsys, *words):
    """The line on what has changed, if there is one."""
    assert main(["cancel", "--all"]) == 0
    capsys.readouterr()
    assert main(["resume", sweep_names(root)[0], *words]) == 0
    second = capsys.readouterr().out.splitlines()[1]
    return second if "have changed" in second else ""


def test_as_long_as_nothing_has_changed_nothing_is_told(root, slurm, capsys):
    assert main(SWEEP) == 0
    assert resumed(root, slurm, capsys) == ""
    assert len(sweep_names(root)) == 1


def test_an_edited_default_is_named_with_both_values(root, slurm, conf, capsys):
    assert main(SWEEP) == 0
    (old,) = sweep_names(root)
    edit(conf / "stage/tokenizer.yaml", "learning_rate: 2.0e-4", "learning_rate: 3.0e-4")
    line = resumed(root, slurm, capsys)
    (new,) = set(sweep_names(root)) - {old}
    assert line == (
        f"defaults have changed since {old} was recorded: 2 of its 2 experiments now differ, from "
        "stage.tokenizer.learning_rate (was 0.0002, is 0.0003); they are the sweep "
        f"{new} now, and what {old} has finished stays"
    )


@pytest.mark.slow
def test_the_option_that_a_stage_follows_is_named_and_what_is_not_signed_is_not(
    root, slurm, conf, capsys
):
    assert main(SWEEP) == 0
    edit(conf / "config.yaml", "seed: 1234", "seed: 7")
    edit(conf / "launcher/slurm.yaml", "minutes: 60", "minutes: 50")
    line = resumed(root, slurm, capsys)
    assert "from seed (was 1234, is 7); they are" in line


@pytest.mark.slow
def test_a_default_of_the_second_experiment_alone_is_named(root, slurm, conf, capsys):
    assert main(SWEEP) == 0
    edit(conf / "downsampling/4.yaml", "frames_per_token: 4", "frames_per_token: 8")
    line = resumed(root, slurm, capsys)
    assert "1 of its 2 experiments now differ, from downsampling.frames_per_token (was 4" in line


def test_an_override_that_is_added_is_told_apart(root, slurm, capsys):
    assert main(SWEEP) == 0
    line = resumed(root, slurm, capsys, "stage.tokenizer.window=32", "launcher.resources.cpus=2")
    assert line.startswith("overrides or defaults have changed since")
    assert "from stage.tokenizer.window (was 64, is 32); they are" in line


def test_a_damaged_record_of_a_job_is_named_and_the_rest_is_told(root, slurm, conf, capsys):
    assert main(SWEEP) == 0
    (name,) = sweep_names(root)
    files = list((root / "sweeps" / name).glob("submissions/*/**/tokenizer-*.json"))
    assert files
    for file in files:
        file.write_text('{"settings": 3}')
    edit(conf / "stage/tokenizer.yaml", "learning_rate: 2.0e-4", "learning_rate: 3.0e-4")
    assert main(["cancel", "--all"]) == 0
    capsys.readouterr()
    assert main(["resume", name]) == 0
    said = capsys.readouterr()
    assert "settings is an unexpected int" in said.err
    assert "stage.tokenizer.learning_rate (was 0.0002, is 0.0003)" in said.out
