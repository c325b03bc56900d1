"""What `from_pretrained` opens, and what it says of the rest."""

import json
import re
import shutil

import numpy as np
import pytest

from motiongpt import MotionGPT
from motiongpt.api import motiongpt as motiongpt_api
from motiongpt.errors import UserError
from tests.unit.tiny_models import tiny_backbone, tiny_tokenizer

PARENTS = {
    "tokenizer": {},
    "tokens": {"tokenizer": "t1"},
    "pretrain": {"tokens": "k1"},
    "instruct": {"tokens": "k1", "pretrain": "p1"},
    "generate": {"tokenizer": "t1", "tokens": "k1", "instruct": "i1"},
}
SIGNATURES = {
    "tokenizer": "t1",
    "tokens": "k1",
    "pretrain": "p1",
    "instruct": "i1",
    "generate": "g1",
}


def make_run(root, stage, signature, state="finished", **tasks):
    run = root / "runs" / stage / signature
    run.mkdir(parents=True)
    config = {"group": "small", "data": {"fps": 25.0}, "tasks": {"templates": None, **tasks}}
    (run / "config.json").write_text(
        json.dumps({"parents": PARENTS[stage], "config": config, "data": {"fingerprint": "f"}})
    )
    (run / "status.json").write_text(json.dumps({"state": state}))
    if stage == "tokenizer":
        tiny_tokenizer().save(run / "model")
    if stage in ("pretrain", "instruct"):
        tiny_backbone().save(run / "model")
    return run


@pytest.fixture
def root(tmp_path):
    for stage, signature in SIGNATURES.items():
        make_run(tmp_path, stage, signature)
    return tmp_path


def opened(where):
    return MotionGPT.from_pretrained(where, device="cpu")


@pytest.mark.parametrize("where", ["", "runs/instruct/i1", "runs/generate/g1", "runs/pretrain/p1"])
def test_a_run_is_opened_with_what_it_builds_on(root, where):
    model = opened(root / where)
    assert (model.name, model.fps, model.skeleton.name) == ("small", 25.0, "humanml3d")
    assert model.text_to_motion("a person walks", frames=10, seed=0)[0].frames == 10


def test_the_frame_rate_and_the_skeleton_are_those_of_the_store(root):  # not what data= asked for
    path = root / "runs" / "instruct" / "i1" / "config.json"
    config = json.loads(path.read_text())
    config["data"] |= {"fps": 30.0, "skeleton": "humanml3d"}
    path.write_text(json.dumps(config))
    model = opened(root)
    assert (model.fps, model.skeleton.name) == (30.0, "humanml3d")
    config["data"] |= {"skeleton": "kit"}
    path.write_text(json.dumps(config))
    with pytest.raises(UserError, match="n_features expected 251, found 263"):
        opened(root)


def test_the_process_keeps_its_memory_only_if_it_is_told_to(root, monkeypatch):
    asked = []
    monkeypatch.setattr(motiongpt_api, "keep_freed_memory", lambda: asked.append(True))
    opened(root)
    motiongpt_api.load(root, "cpu")
    assert not asked
    MotionGPT.from_pretrained(root, device="cpu", keep_memory=True)
    motiongpt_api.load(root, "cpu", keep_memory=True)
    assert len(asked) == 2


def test_a_run_is_opened_from_its_own_folder(root, monkeypatch):
    monkeypatch.chdir(root / "runs" / "instruct" / "i1")
    assert opened(".").fps == 25.0


def test_where_it_comes_from_is_passed_on(root, tmp_path):
    folder = opened(root).save_pretrained(tmp_path / "saved")
    source = json.loads((folder / "motiongpt.json").read_text())["source"]
    assert source["runs"]["instruct"] == "i1" and source["runs"]["tokenizer"] == "t1"
    assert opened(folder).fps == 25.0


def test_own_templates_are_used_and_passed_on(root, tmp_path):
    from motiongpt.methods.motiongpt.tasks.templates import Templates

    kinds = Templates.packaged("instructions").kinds
    grouped = {}
    for kind in kinds:
        grouped.setdefault(kind.group, {}).update(
            {
                kind.name: {
                    "class": kind.template_class,
                    "input": [f"Please! {kind.inputs[0]}"],
                    "output": list(kind.outputs),
                }
            }
        )
    templates = tmp_path / "own.json"
    templates.write_text(json.dumps(grouped))
    shutil.rmtree(root / "runs" / "instruct" / "i1")
    make_run(root, "instruct", "i1", templates=str(templates))
    model = opened(root)
    saved = model.save_pretrained(tmp_path / "saved")
    templates.unlink()
    with pytest.raises(UserError, match="own.json, which are not there"):
        opened(root)
    for one in (model, opened(saved)):
        wordings = one.method.mix["motion_to_text"].prompts.kinds
        assert all(kind.inputs[0].startswith("Please! ") for kind in wordings)


def test_runs_that_can_not_be_opened(root):
    with pytest.raises(
        UserError, match="without instruct, which method motiongpt needs; expected a model folder"
    ):
        opened(root / "runs" / "tokenizer" / "t1")
    make_run(root, "instruct", "i2", state="running")
    with pytest.raises(UserError, match=re.escape("not finished (running)")):
        opened(root / "runs" / "instruct" / "i2")
    assert opened(root).fps == 25.0
    make_run(root, "instruct", "i3")
    with pytest.raises(UserError, match="2 finished runs of a method; choose one: .*i1.*i3"):
        opened(root)


def test_parts_that_do_not_build_on_one_another_are_found_by_what_generates(root):
    for stage in ("instruct", "pretrain", "tokens", "generate", "tokenizer"):
        path = root / "runs" / stage / SIGNATURES[stage] / "config.json"
        said = json.loads(path.read_text())
        said["config"]["method"] = {
            "name": "motiongpt",
            "parts": {"codec": "tokenizer", "language_model": "instruct"},
        }
        if stage == "instruct":
            said["parents"] = {}
        path.write_text(json.dumps(said))
    with pytest.raises(UserError, match="without tokenizer"):
        opened(root / "runs" / "instruct" / "i1")
    assert opened(root).text_to_motion("a person walks", frames=10, seed=0)[0].frames == 10
    shutil.rmtree(root / "runs" / "generate")
    with pytest.raises(UserError, match="no finished run of a whole method"):
        opened(root)


DAMAGE = {
    "method_text": {"config": {"method": "mld"}},
    "method_null": {"config": {"method": None}},
    "method_list": {"config": {"method": []}},
    "name_absent": {"config": {"method": {"parts": {"codec": "tokenizer"}}}},
    "parts_list": {"config": {"method": {"name": "m", "parts": ["codec"]}}},
    "parts_number": {"config": {"method": {"name": "m", "parts": {"codec": 3}}}},
    "earlier_text": {"config": {"method": {"name": "m", "parts": {"a": "b"}, "earlier": "x"}}},
    "config_null": {"config": None},
    "config_list": {"config": [1]},
    "parents_list": {"parents": ["t1"]},
    "parents_null": {"parents": None},
    "parents_number": {"parents": {"tokens": 5}},
    "data_text": {"data": "humanml3d"},
    "tasks_list": {"config": {"tasks": ["all"], "data": {"fps": 20}}},
    "templates_number": {"config": {"tasks": {"templates": 5}, "data": {"fps": 20}}},
    "group_list": {"config": {"group": [1], "data": {"fps": 20}}},
    "skeleton_unknown": {"data": {"fps": 20, "skeleton": "octopus"}},
    "skeleton_list": {"data": {"fps": 20, "skeleton": []}},
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_record_of_a_run_is_one_line_that_names_it(root, name):
    run = root / "runs" / "instruct" / "i1"
    path = run / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | DAMAGE[name]))
    for where in (run, root):
        with pytest.raises(UserError) as caught:
            opened(where)
        said = str(caught.value)
        assert str(path) in said and "\n" not in said, said


def test_a_group_may_read_as_a_number(root):
    path = root / "runs" / "instruct" / "i1" / "config.json"
    record = json.loads(path.read_text())
    record["config"]["group"] = 2024
    path.write_text(json.dumps(record))
    assert opened(root).name == "2024"


@pytest.mark.parametrize("where", ["nothing", "a/b/c", "empty", "file.txt"])
def test_what_is_nothing_is_told_what_was_expected(tmp_path, where, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.txt").write_text("x")
    with pytest.raises(
        UserError, match="expected a model folder, a finished run such as"
    ) as caught:
        opened(where)
    assert "\n" not in str(caught.value)


def test_a_name_of_the_hub_is_fetched(root, tmp_path, monkeypatch):
    hub = pytest.importorskip("motiongpt.published.hub")
    folder = opened(root).save_pretrained(tmp_path / "saved")
    asked = []

    def from_hub(name, revision=None):
        asked.append((name, revision))
        return folder

    monkeypatch.setattr(hub, "from_hub", from_hub)
    model = MotionGPT.from_pretrained("somebody/model", device="cpu", revision="v1")
    assert asked == [("somebody/model", "v1")] and model.fps == 25.0


def test_a_model_is_pushed_as_a_whole_folder(root, monkeypatch):
    hub = pytest.importorskip("motiongpt.published.hub")
    seen = []

    def push(folder, repository, private=False):
        seen.append((sorted(one.name for one in folder.iterdir()), repository, private))
        return "url"

    monkeypatch.setattr(hub, "push_to_hub", push)
    assert opened(root).push_to_hub("somebody/walker", private=True) == "url"
    files = ["README.md", "checksums.json", "codec", "language_model", "motiongpt.json"]
    assert seen == [(files, "somebody/walker", True)]


def test_frame_rates_and_seeds_reach_the_model(root):
    model = opened(root)
    (motion,) = model.text_to_motion("a person walks", frames=8, seed=0)
    assert motion.fps == 25.0 and np.isfinite(motion.joints).all()
