"""Roots of any name: nothing of them is run, filled in, or read as something else."""

import os
import shlex
import shutil
import subprocess

import pytest

from launch.cli import main
from launch.composition.compose import compose_config
from launch.runs.snapshot import take_snapshot
from launch.slurm.folders import without_patterns
from launch.sweeps.record import sweep_names
from motiongpt.errors import UserError

TINY = ["run", "debug=tiny", "launcher=slurm", "goal=tokenizer"]
NAMES = [
    "x'$(touch PWNED)'",
    "a,b=(c)[d]{e}",
    "%j%t%A_%a",
    *(
        pytest.param(name, marks=pytest.mark.slow)
        for name in (
            "plain",
            "with space",
            "ü 人",
            "back\\slash\\",
            '"quoted"\\\'',
            "`touch PWNED`;#&|$HOME",
            "null",
            "-x",
        )
    ),
]


@pytest.fixture(params=NAMES)
def odd_root(request, store, tmp_path, monkeypatch):
    root = tmp_path / "roots" / request.param
    shutil.copytree(store, root)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return root


def test_a_job_and_resume_take_it_as_it_is(odd_root, slurm, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MOTIONGPT_ROOT", str(odd_root))
    assert main(TINY) == 0
    script = slurm.jobs["100"]["text"]
    (snapshot,) = odd_root.glob("code/*")
    export = next(line for line in script.splitlines() if line.startswith("export PYTHONPATH"))
    there = subprocess.run(
        ["bash", "-c", f'{export}; printf %s "$PYTHONPATH"'],
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert there.stdout == str(snapshot) and there.stderr == ""
    assert not list(tmp_path.rglob("PWNED"))
    (folder,) = odd_root.glob("sweeps/*/submissions/0001")
    output = shlex.split(next(line for line in script.splitlines() if "--output=" in line))[1]
    named, _, pattern = output.partition("=")[2].rpartition("/")
    assert pattern == "%j_0_log.out" and "%" not in named and os.path.samefile(named, folder)
    assert list(folder.glob("100_submitted.pkl"))

    slurm.set_state("100", "FAILED")
    capsys.readouterr()
    assert main(["resume"]) == 0
    command = shlex.split(capsys.readouterr().out.splitlines()[0])
    assert compose_config(command[2:]).paths.root == str(odd_root)
    assert len(sweep_names(odd_root)) == 1 and "102" in slurm.jobs


def test_the_name_for_slurm_is_the_folder_itself_where_that_will_do(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert without_patterns(tmp_path) == tmp_path
    odd = tmp_path / "100%"
    odd.mkdir()
    assert without_patterns(odd) == without_patterns(odd) != odd
    assert without_patterns(odd).resolve() == odd
    monkeypatch.setenv("XDG_CACHE_HOME", str(odd))
    with pytest.raises(UserError, match="choose another paths.root"):
        without_patterns(odd)


@pytest.mark.parametrize("word", [None, r"paths.root='\${x}'", "paths.root='a${x}'", "hydra"])
def test_a_root_that_reads_as_a_reference_is_refused_before_anything_is_written(
    word, slurm, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    monkeypatch.setenv("MOTIONGPT_ROOT", "a${x}" if word in (None, "hydra") else "b")
    words = {None: [], "hydra": ["hydra/launcher=basic"]}.get(word, [word])
    assert main([*TINY, *words]) == 2
    said = capsys.readouterr().err
    assert "paths.root: " in said and "refer" in said and said.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before and slurm.jobs == {}


def test_a_root_that_pythonpath_cannot_hold_is_refused(tmp_path):
    with pytest.raises(UserError, match="paths.root"):
        take_snapshot(tmp_path / "a:b")
