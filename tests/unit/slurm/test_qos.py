"""Limits of a QOS are said before anything is submitted, and only where SLURM holds jobs to them."""

import re

import pytest

from launch.cli import main

C = ["run", "debug=tiny", "launcher=slurm", "goal=tokenizer"]
NAMES = ("flags", "wall", "jobs", "job", "user", "account", "group")


def qos(name, **limits):
    """A line of sacctmgr's."""
    assert set(limits) <= set(NAMES)
    return "|".join([name, *(limits.get(key, "") for key in NAMES)]) + "\n"


@pytest.fixture
def limited(root, slurm):
    """A cluster with limits; called with QOS, it has these."""

    def give(*lines, **facts):
        slurm.write(qos="".join([qos("normal"), *lines]), enforced="associations,limits", **facts)

    return give


@pytest.mark.parametrize(
    ("limits", "words", "said"),
    [
        ({"wall": "00:30:00"}, [], "MaxWall is 30 minutes, and a job of .* asks for 60"),
        ({"user": "cpu=3"}, ["launcher.resources.cpus=4"], "MaxTRESPerUser is 3 cores.* for 4"),
        ({"job": "mem=8000M"}, ["launcher.resources.memory_gb=8"], "PerJob is 7.8125 GB"),
        ({"group": "mem=2G,node=9"}, [], "GrpTRES is 2 GB, and a job of .* for 4"),
        (
            {"account": "gres/gpu=1,gres/gpu:a100=1"},
            ["launcher.resources.gpus=2"],
            "MaxTRESPerAccount is 1 GPUs, and a job of .* asks for 2",
        ),
    ],
)
def test_a_job_that_a_qos_never_allows(limited, slurm, root, capsys, limits, words, said):
    limited(qos("short", **limits), qos("long", wall="2-00:00:00", user="cpu=64"))
    assert main([*C, *words, "launcher.qos=short"]) == 2
    error = capsys.readouterr().err
    assert re.search(f"QOS short: .*{said}", error), error
    assert error.count("\n") == 1 and slurm.jobs == {}
    assert not list(root.glob("sweeps/*/submissions"))
    assert main([*C, *words, "launcher.qos=long"]) == 0


def test_more_jobs_than_may_wait(limited, slurm, root, capsys):
    limited(qos("short", jobs="4"))
    words = [*C[:-1], "launcher.qos=short", "goal=tokens"]
    assert main(words) == 0  # two stages and a report
    assert main([*C, "launcher.qos=short", "downsampling=8"]) == 2
    error = capsys.readouterr().err
    assert "MaxSubmitJobsPerUser is 4, 3 jobs are in the queue and 2 would be submitted" in error
    assert "--qos=short" in slurm.called("squeue")[-1] and len(slurm.jobs) == 3
    assert main(words) == 0, "all is in SLURM's hands already: nothing is submitted"


def test_the_qos_of_the_partition_comes_first_unless_the_jobs_says_otherwise(limited, capsys):
    short, long = qos("short", wall="30:00"), qos("long", wall="90:00")
    limited(short, long, of_main="short")
    assert main([*C, "launcher.qos=long"]) == 2
    assert "QOS short: MaxWall" in capsys.readouterr().err
    limited(short, qos("long", wall="90:00", flags="OverPartQOS"), of_main="short")
    assert main([*C, "launcher.qos=long"]) == 0


def test_the_users_default_counts_where_it_is_clear(limited, monkeypatch):
    short = qos("short", wall="30:00")
    limited(short, associations="mine|short\nother|normal\n")
    assert main([*C, "launcher.account=mine"]) == 2
    assert main([*C, "launcher.account=other"]) == 0
    limited(short, associations="mine|normal\nother|normal\n")
    monkeypatch.setenv("SBATCH_QOS", "short")
    assert main([*C, "downsampling=8"]) == 2


def test_limits_that_slurm_does_not_hold_to_are_none(root, slurm):
    slurm.write(qos=qos("short", wall="30:00"), enforced="associations")
    assert main([*C, "launcher.qos=short"]) == 0
    assert slurm.called("sacctmgr") == []
