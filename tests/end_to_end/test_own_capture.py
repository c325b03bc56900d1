"""Own capture as a user has it: a folder of BVH files, a model to start from, a sentence."""

import json

import pytest

from launch.runs.ledger import all_runs
from tests.command import motiongpt
from tests.unit.test_takes import take

pytestmark = pytest.mark.slow
GOAL = ("goal=instruct", "debug=tiny")


@pytest.fixture
def capture(tmp_path):
    folder = tmp_path / "capture"
    folder.mkdir()
    lines = ["file,caption"]
    for number in range(8):
        (folder / f"take{number}.bvh").write_text(take(90 + 10 * number))
        lines.append(f"take{number},a person strolls along a fence")
    (folder / "captions.csv").write_text("\n".join(lines))
    return folder


def run(*words):
    done = motiongpt(*words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_from_a_folder_of_bvh_to_a_motion_by_a_fine_tuned_model(capture, tmp_path):
    base, mine = tmp_path / "base", tmp_path / "mine"
    own = (
        *(f"data.source.path={capture}", "data.source.captions=captions.csv"),
        *("experiment=own_capture", f"init_from={base}", f"paths.root={mine}", *GOAL),
    )
    run("run", f"paths.root={base}", *GOAL)
    run("data", "verify", *own[:2], "data=bvh_folder", f"paths.root={mine}", "--strict")
    said = run("run", *own).stdout
    assert "tokenizer: starts from" in said and "pretrain: starts from" in said
    assert "4 stages: 0 to run, 4 reused" in run("run", *own).stdout
    done = run("demo", mine, "a person juggles along a fence", "--bvh", "--out", tmp_path / "demo")
    assert (
        "warning: 'a person juggles along a fence': no training caption has the word juggles"
        in (done.stderr)
    )
    assert (tmp_path / "demo" / "0_out.bvh").stat().st_size > 1000
    model = next(one.folder for one in all_runs(mine) if one.stage == "instruct") / "model"
    known = json.loads((model / "training_captions.json").read_text())
    assert "a person strolls along a fence" in known["captions"]
    assert len(known["captions"]) > 1  # and those that its start knew
