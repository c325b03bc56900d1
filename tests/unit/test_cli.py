import subprocess
import sys

import numpy as np
import pytest

from launch.cli import main
from launch.commands.run import sweep_points
from launch.composition.overrides import CONF
from motiongpt.errors import UserError

COMMANDS = sorted(
    file.stem.replace("_", "-") for file in (CONF.parent / "launch/commands").glob("[!_]*.py")
)


def test_help_names_every_command_with_an_example(capsys):
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(
        word in shown for word in ("run", "data", "status", "motiongpt run experiment=quickstart")
    )
    for command in COMMANDS:
        with pytest.raises(SystemExit) as left:
            main([command, "--help"])
        assert left.value.code == 0
        assert f"motiongpt {command}" in capsys.readouterr().out.split("example")[1]


def test_unknown_commands_are_one_line_with_the_valid_ones(capsys):
    assert main(["rum"]) == 2
    error = capsys.readouterr().err
    assert error == f"motiongpt: rum: no such command; valid: {', '.join(COMMANDS)}\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "data=nowhere"], "valid: .*synthetic"),
        (["run", "downsampling=1,2"], "add -m"),
        (["run", "goal=evaluat", "data.source.clips=40"], "no such stage"),
        (["run", "data=humanml3d"], "humanml3d|HumanML3D"),
        (["run", "data.source.clips=0"], "data.clips: 0 is not a number of clips"),
        (["data", "prepare", "data.source.actions=[fly]"], "unknown action 'fly'"),
        (["data", "verify", "data=kit"], "KIT-ML"),
        (["data", "prepare", "data=bandai_namco"], "bandai"),
        (["data", "joints", "nothing.bvh", "out.npy"], "nothing.bvh"),
        (["data", "show", "data.source.clips=41"], "motiongpt data prepare"),
    ],
)
def test_bad_input_is_one_line_and_a_status(words, said, capsys, tmp_path, monkeypatch):
    import re

    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    error = capsys.readouterr().err.strip()
    last = error.splitlines()[-1]
    assert last.startswith(f"motiongpt {words[0]}: ") and re.search(said, last)
    assert "Traceback" not in error


def test_several_values_without_m_are_refused():
    with pytest.raises(UserError, match="add -m"):
        sweep_points(["seed=1,2"], multirun=False)
    assert sweep_points(["seed=1,2"], multirun=True) == [["seed=1"], ["seed=2"]]


def test_status_of_an_empty_folder_says_what_to_do(capsys, tmp_path):
    assert main(["status", f"paths.root={tmp_path}"]) == 0
    assert "no runs" in capsys.readouterr().out


def test_data_goes_from_prepare_to_show(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["data.source.clips=40", f"paths.root={tmp_path}"]
    assert main(["data", "prepare", *words]) == 0
    assert main(["data", "verify", "--strict", *words]) == 0
    assert main(["data", "show", *words]) == 0
    shown = capsys.readouterr().out
    assert "fingerprint" in shown and "train" in shown


def test_motion_without_words_is_prepared_and_shown(capsys, tmp_path):
    from tests.unit.bvh_text import stick, write

    for number in range(8):  # the hash of the name splits
        write(tmp_path / "bvh" / f"walk{number}.bvh", stick(60, seed=number))
    data = ["data=bvh_folder", f"data.source.path={tmp_path / 'bvh'}", "data.source.captions=null"]
    words = [*data, "data.fps=30", f"paths.root={tmp_path}"]
    assert main(["data", "prepare", *words]) == 0
    assert main(["data", "show", *words]) == 0
    said = capsys.readouterr().out
    assert "30 fps" in said and "8 clips have no caption" in said and ": no caption" in said


def test_a_console_script_exits_with_the_status():
    done = subprocess.run(
        [sys.executable, "-m", "launch.cli", "run", "sede=1"], capture_output=True, text=True
    )
    assert done.returncode == 2 and "did you mean seed" in done.stderr
    assert np.array_equal(done.stderr.count("\n"), 1) or "Traceback" not in done.stderr
