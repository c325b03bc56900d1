"""Several methods in one house: shared stages, equal references, one command, one way to open them."""

import json
import shutil

import numpy as np
import pytest
import yaml

from launch.composition.overrides import CONF
from launch.runs.ledger import all_runs
from motiongpt import load
from motiongpt.errors import UserError
from tests.end_to_end.test_debug_tiny import run

pytestmark = pytest.mark.slow
METHODS = sorted(file.stem for file in (CONF / "method").glob("[!_]*.yaml"))
# Of the files as they are: to compose them all here would delay every session of tests.
NODES = {
    name: yaml.safe_load((CONF / "method" / f"{name}.yaml").read_text())["method"]
    for name in METHODS
}
ASKED = [name for name in METHODS if NODES[name].get("parts")]
CODECS = [name for name in METHODS if NODES[name].get("codec")]


@pytest.fixture(scope="module")
def root(tiny_root):
    place = tiny_root("methods")
    run(place, "-m", f"method={','.join(METHODS)}", "stage.evaluate.pictures=0")
    run(place, "-m", "downsampling=1,8", "stage.evaluate.pictures=0")
    return place


@pytest.fixture(scope="module")
def results(root):
    found = []
    for one in all_runs(root):
        if one.stage == "evaluate":
            found.append(json.loads((one.folder / "results.json").read_text()))
    return found


def name_of(result):
    method = result.get("method", result["experiment"].get("method"))
    return method["name"] if isinstance(method, dict) else method


def test_every_method_is_evaluated_by_its_one_yaml(root, results):
    assert {name_of(one) for one in results} == set(METHODS)
    assert all(one.state == "finished" for one in all_runs(root))


def test_methods_on_one_codec_train_it_once(root):
    counts = {}
    for one in all_runs(root):
        counts[one.stage] = counts.get(one.stage, 0) + 1
    assert counts["tokenizer"] == 3, "one for each downsampling rate, shared by the methods"
    assert counts["evaluator"] == counts["classifier"] == 1


def test_real_chance_and_baseline_rows_are_the_same_numbers(results):
    """Bit for bit, whatever the method, its codec and the frames of a token."""
    known = {}
    compared = 0
    for one in results:
        for row in one["results"]:
            who = row.get("row", row.get("method"))
            if who == "model":
                continue
            key = (row["task"], who, row["metric"])
            values = known.setdefault(key, row["values"])
            assert values == row["values"], (name_of(one), key)
            compared += values is not row["values"]
    assert compared > 100


@pytest.mark.parametrize("name", ASKED)
def test_any_method_is_opened_with_the_same_verbs(root, name, tmp_path):
    # what generates builds on all parts, also where these do not build on one another
    stage = [*NODES[name]["parts"].values(), "generate"]
    runs = [one for one in all_runs(root) if one.stage in stage]
    folder = None
    for one in runs:
        try:
            model = load(one.folder, device="cpu")
        except UserError:
            continue
        if model.method.name == name:
            folder = one.folder
            break
    assert folder is not None, f"no run below {root} opens as {name}"
    able = model.method.tasks
    if "text_to_motion" in able:
        first, second = model.text_to_motion(["a person walks", "a person waves"], 40, seed=3)
        assert first.frames == second.frames == 40
        (alone,) = model.text_to_motion("a person waves", 40, seed=3)
        np.testing.assert_allclose(alone.joints, second.joints, atol=1e-3)
    else:
        with pytest.raises(UserError, match=f"method {name} cannot do text_to_motion"):
            model.text_to_motion("a person walks")
    if "prediction" not in able:
        with pytest.raises(UserError, match=f"method {name} cannot do prediction; it can:"):
            model.predict(first, frames=60)
    saved = model.save_pretrained(tmp_path / name)
    again = load(saved, device="cpu")
    assert again.method.name == name and (saved / "README.md").read_text().startswith("---")
    if "text_to_motion" in able:
        (same,) = again.text_to_motion("a person waves", 40, seed=3)
        np.testing.assert_array_equal(same.joints, alone.joints)
    shutil.rmtree(next(path for path in saved.iterdir() if path.is_dir()))
    with pytest.raises(UserError, match="no weights here"):
        load(saved)


def test_a_task_that_a_method_cannot_do_is_refused_before_anything_runs(root):
    done = run(root, "method=t2m_gpt", "protocol.tasks=[prediction]", check=False)
    assert done.returncode != 0
    assert "method t2m_gpt cannot do prediction; it can: text_to_motion" in done.stderr
    done = run(root, "method=lookup", "backbone=t5_tiny", check=False)
    assert done.returncode == 2 and "method lookup has no backbone" in done.stderr
    done = run(root, "method=lookup", "goal=evaluate_codec", check=False)
    assert done.returncode == 2 and "no such stage of this method" in done.stderr
