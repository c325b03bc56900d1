"""Training that starts from the weights of a finished run: `init_from=RUN`, for every method."""

import json
import shutil
from pathlib import Path

import pytest

from launch.composition.build import build
from launch.composition.compose import compose_config
from launch.composition.method_parts import methods_with
from launch.composition.overrides import CONF
from launch.composition.starting import _stages_that_start
from launch.plans.graph import GRAPH_KEYS, plan_experiment
from motiongpt.api.opening import trained_folder
from motiongpt.errors import UserError
from motiongpt.preflight import Outlook
from tests.unit.test_api_opening import root  # noqa: F401  (a fixture: runs of a whole method)
from tests.unit.tiny_models import tiny_model_folder, tiny_tokenizer

SMALL = ("tokenizer.codebook_size=16", "tokenizer.width=16", "tokenizer.code_dim=16")
METHODS = sorted(file.stem for file in (CONF / "method").glob("[!_]*.yaml"))


def plan(*overrides, goal="instruct"):
    """Stage -> what is planned of it."""
    stages = plan_experiment(compose_config([*overrides, f"goal={goal}"]), Path(), "f")
    return {one.run.stage: one for one in stages}


def tokenizer_of(*overrides):
    return plan(*overrides, goal="tokenizer")["tokenizer"].run.signature


@pytest.fixture
def fitting(root):  # noqa: F811
    """Overrides of a tokenizer as the root's."""
    described = json.loads((root / "runs/tokenizer/t1/model/tokenizer.json").read_text())
    sizes = compose_config().tokenizer
    return [
        f"tokenizer.{name}={value}"
        for name, value in described["arguments"].items()
        if type(value) is int and type(sizes.get(name)) is int and name != "frames_per_token"
    ] + [f"downsampling={described['arguments']['frames_per_token']}"]


@pytest.mark.parametrize("where", ["", "runs/instruct/i1", "runs/generate/g1"])
def test_weights_are_found_in_runs_and_roots(root, where):  # noqa: F811
    found = trained_folder(root / where, "codec", ("tokenizer",))
    assert found == root / "runs/tokenizer/t1/model"
    found = trained_folder(root / where, "language_model", ("instruct", "pretrain"))
    assert found == root / "runs/instruct/i1/model"
    with pytest.raises(UserError, match="no stage mdm is behind it; it has .*instruct"):
        trained_folder(root / where, "denoiser", ("mdm",))


def test_an_earlier_stage_stands_in_and_a_root_has_one_run_of_the_method(root):  # noqa: F811
    stages = ("instruct", "pretrain")
    found = trained_folder(root / "runs/pretrain/p1", "language_model", stages)
    assert found == root / "runs/pretrain/p1/model"
    trained_folder(root, "codec", ("tokenizer",), method="motiongpt")
    with pytest.raises(UserError, match="no finished run of a whole method"):
        trained_folder(root, "codec", ("tokenizer",), method="t2m_gpt")


def test_the_tokenizer_starts_from_the_codec_and_pretraining_from_the_whole_model(
    root,  # noqa: F811
    fitting,
):
    found = {name: one.settings for name, one in plan(f"init_from={root}", *fitting).items()}
    assert found["tokenizer"]["init_from"] == str(root / "runs/tokenizer/t1/model")
    assert found["pretrain"]["init_from"] == str(root / "runs/instruct/i1/model")
    assert "init_from" not in found["instruct"] and "init_from" not in found["tokens"]


def test_a_run_is_signed_by_its_weights_alone(root, fitting, tmp_path):  # noqa: F811
    first = tokenizer_of(f"init_from={root}", *fitting)
    assert first != tokenizer_of(*fitting)
    (root / "runs/tokenizer/t1/log.txt").write_text("more")
    moved = tmp_path / "elsewhere"
    shutil.copytree(root / "runs", moved / "runs")
    assert tokenizer_of(f"init_from={moved}", *fitting) == first
    folder = tiny_model_folder(tmp_path / "folder")
    assert tokenizer_of(f"init_from={folder}", *fitting) == first  # the same weights
    weights = moved / "runs/tokenizer/t1/model/tokenizer.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"abcd")
    assert tokenizer_of(f"init_from={moved}", *fitting) != first


def test_without_a_run_nothing_is_added_to_any_stage():
    for stage in plan().values():
        assert "init_from" not in stage.settings


@pytest.mark.parametrize("method", METHODS)
def test_every_stage_that_trains_a_part_can_start(method):
    """A new method's stage is found here: it takes `context.start`, or trains nothing."""
    from omegaconf import OmegaConf

    config = compose_config([f"method={method}"])
    plain = OmegaConf.to_container(config, resolve=True)
    starting = _stages_that_start(plain)
    trained = {
        stage
        for stage in [*config.method.parts.values(), config.method.get("codec")]
        if stage is not None and config.stage[stage].get("schedule") is not None
    }
    behind = dict(config.method.get("earlier") or {})
    assert {behind.get(stage, stage) for stage in trained} <= set(starting)
    assert bool(starting) == bool(trained)


def test_a_method_that_trains_nothing_refuses_a_run(root):  # noqa: F811
    with pytest.raises(UserError, match="init_from=.*method=lookup trains nothing that could"):
        plan("method=lookup", f"init_from={root}", goal="generate")


def test_a_run_that_is_none_is_one_line(tmp_path):
    with pytest.raises(UserError, match="init_from=.*nothing to open") as caught:
        plan(f"init_from={tmp_path}")
    assert "\n" not in str(caught.value)


def test_another_method_is_one_line(root):  # noqa: F811
    assert "mdm" not in methods_with("tokenizer")
    run = root / "runs/instruct/i1"
    with pytest.raises(UserError, match=r"init_from=.*: no stage (mdm|text_encoder) is behind it"):
        plan("method=mdm", f"init_from={run}", goal="mdm")


def test_other_sizes_are_told_before_anything_runs(root):  # noqa: F811
    with pytest.raises(UserError, match=r"stage tokenizer: tokenizer\.\w+=\d+ there, \d+ here"):
        plan(f"init_from={root}")


def test_another_codebook_is_told_before_anything_runs(root, fitting):  # noqa: F811
    own = [word for word in fitting if "codebook_size" not in word]
    tiny_tokenizer(codes=32).save(root / "runs/tokenizer/t1/model")
    with pytest.raises(UserError, match=r"tokenizer\.codebook_size=32 there, 16 here"):
        plan(f"init_from={root}", *own, "tokenizer.codebook_size=16")


def test_a_backbone_to_start_from_needs_no_published_one(root, fitting):  # noqa: F811
    planned = plan(f"init_from={root}", "backbone=t5_base", *fitting)["pretrain"]
    settings = {key: value for key, value in planned.settings.items() if key not in GRAPH_KEYS}
    settings = {key: value for key, value in settings.items() if not key.startswith("_un")}
    stage = build(
        {key: value for key, value in settings.items() if key != "_by_content_"},
        _recursive_=False,
    )
    assert tuple(stage.preflight(Outlook(init_from=Path(planned.settings["init_from"])))) == ()
