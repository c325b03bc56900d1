"""Everything that an experiment needs is looked for before any of it runs."""

import json
from functools import partial

import numpy as np
import pytest

from launch.cli import main
from launch.composition.compose import compose_config
from launch.jobs.run_stage import build_stage
from launch.plans.graph import plan_experiment
from launch.plans.planning import plan_sweep
from launch.sweeps.preflight import preflight_lines, preflight_of
from motiongpt import pretrained_source
from motiongpt.data.build import build_store
from motiongpt.data.clip import Caption
from motiongpt.errors import UserError
from motiongpt.preflight import Outlook, checked_by, preflight
from motiongpt.training.stage import StageContext
from tests.unit.fake_source import FakeSource, feature_clip


@pytest.fixture(autouse=True)
def no_hub(monkeypatch):
    monkeypatch.setattr(pretrained_source, "hub_is_reachable", lambda: False)


@pytest.fixture
def planned(tmp_path):
    """Stages of one experiment on a data set that is still to be prepared."""

    def plan(*words):
        (stages,) = plan_sweep([[f"paths.root={tmp_path}/root", *words]], prepare=False)
        return stages

    return plan


def store(folder, test=6, captions=True, labels=("walk", "run")):
    said = (Caption("a man walks"), Caption("he strolls")) if captions else ()
    splits = ["train"] * 6 + ["test"] * test
    clips = [
        feature_clip(f"clip{i}", split, frames=40, seed=i, captions=said)
        for i, split in enumerate(splits)
    ]
    return build_store(FakeSource(clips), folder, progress=False)


def on_store(made, tmp_path, *words):
    config = compose_config([f"paths.root={tmp_path}/root", *words])
    return plan_experiment(config, made.folder, made.fingerprint)


def test_all_that_is_missing_is_said_in_one_line_and_nothing_written(planned, tmp_path):
    with pytest.raises(UserError) as caught:
        preflight_of(planned("experiment=motiongpt_base", "data=synthetic"))
    said = str(caught.value)
    assert said.startswith("2 stages lack something: (1) stage evaluator: set evaluator.weights=")
    assert "evaluator.word_vectors=" in said and "\n" not in said
    assert "(2) stage pretrain: backbone.source=google/flan-t5-base can't be loaded" in said
    assert list(tmp_path.iterdir()) == []


def config_of(folder, kind, *files):
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": kind}))
    for file in files:
        (folder / file).write_bytes(b"")
    return folder


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["text_encoder=clip", "method=t2m_gpt"], "text_encoder: text_encoder.source=openai/clip"),
        (["text_encoder=t5", "method=mld"], "text_encoder.source=google/flan-t5-base can't be"),
        (["backbone=gpt2"], "stage pretrain: backbone.source=openai-community/gpt2 can't be"),
        (["backbone=gpt2", "backbone.source={t5}"], "is a t5 model, not gpt2"),
        (["backbone=causal"], "hf download Qwen/Qwen2.5-0.5B --local-dir FOLDER"),
        (["backbone=causal_lora", "backbone.source={t5}"], "which has an encoder"),
        (["backbone=causal_lora", "backbone.lora.base=int8"], "lora.base=int8: choose one of"),
        (["backbone=flan_t5_base", "backbone.source={half}"], "no weights in this folder"),
        (["backbone=flan_t5_base", "backbone.source={empty}"], "no config.json"),
        (["evaluator=t2m_published"], "stage evaluator: set evaluator.weights=FOLDER.*; and eval"),
        (
            ["evaluator=t2m_published", "evaluator.weights={t5}", "evaluator.word_vectors={t5}"],
            "evaluator.weights=.*: no T2M evaluator here",
        ),
        (["metrics=[all,bert_score]"], "metrics.bert_score.back_end.folder=roberta-large can't"),
        (["experiment=published", "data=synthetic", "evaluator=own"], "set published.folder="),
        (["tasks=translation", "protocol.tasks=[inbetween]"], "method motiongpt cannot do inbet"),
        (["protocol.motiongpt.prompts=loud"], "loud"),
        (["method=mld", "method.model.length=long"], "method mld: length=long; choose"),
        (["method=lookup", "method.model.stride=0"], "lookup: stride=0"),
        (["protocol.scoring.pool=0"], r"protocol.scoring.pool=0: a whole number, at least 1"),
    ],
)
def test_what_is_missing_is_named(planned, tmp_path, words, said):
    folders = {
        "t5": config_of(tmp_path / "t5", "t5", "model.safetensors"),
        "half": config_of(tmp_path / "half", "t5"),
        "empty": tmp_path / "empty",
    }
    folders["empty"].mkdir()
    with pytest.raises(UserError, match=said) as caught:
        preflight_of(planned(*(word.format(**folders) for word in words)))
    assert "\n" not in str(caught.value)


def test_a_complete_folder_passes_and_a_finished_stage_is_not_asked(planned, tmp_path):
    folder = config_of(tmp_path / "t5", "t5", "pytorch_model.bin")
    preflight_of(planned("backbone=flan_t5_base", f"backbone.source={folder}"))
    stages = planned("backbone=gpt2", "goal=pretrain")
    for stage in stages:
        stage.run.folder.mkdir(parents=True)
        (stage.run.folder / "status.json").write_text('{"state": "finished"}')
    assert preflight_of(stages) == ([], 0, "")


def test_a_new_part_brings_its_own_check():
    def check(outlook, size, **rest):
        if size > 3:
            raise UserError(f"size={size}: too large")
        return [f"size {size} is small"]

    @checked_by(check)
    def make(count, size=1):
        return count * size

    class Part:
        def preflight(self, outlook):
            return ["seen"]

    assert preflight(partial(make, size=2), Outlook()) == ("size 2 is small",)
    assert preflight(Part(), Outlook()) == ("seen",)
    assert preflight(partial(max, default=1), Outlook()) == preflight(object(), Outlook()) == ()
    with pytest.raises(UserError, match="size=4"):
        preflight(partial(make, size=4), Outlook())


def test_what_a_small_split_leaves_out_is_said_with_what_fits(tmp_path):
    made = store(tmp_path / "store")
    plan = on_store(made, tmp_path, "method=lookup")
    lines = preflight_lines(plan, tmp_path)
    assert lines[0].startswith("predictions take at most ") and "are free below" in lines[0]
    said = "\n".join(lines)
    assert "r_top1, r_top2, r_top3, mm_dist of text_to_motion, motion_to_text will be left" in said
    assert "protocol.scoring.pool=6" in said and "protocol.scoring.diversity_pairs=6" in said
    assert "multimodality" not in said
    fits = ["protocol.scoring.pool=6", "protocol.scoring.diversity_pairs=6"]
    again = preflight_of(on_store(made, tmp_path, "method=lookup", *fits))
    assert not [note for note in again.notes if note.startswith("evaluate")]


@pytest.mark.parametrize(
    ("options", "words", "said"),
    [
        ({"test": 0}, [], "the test split of store has no clips to evaluate"),
        ({"captions": False}, ["method=mld", "goal=mld"], "stage mld: .* its examples need words"),
        ({"captions": False}, ["method=mld", "goal=text_encoder"], "text_encoder=small learns"),
        ({}, ["protocol.tasks=[]"], r"protocol.tasks=\[\]: name a task of motiongpt, or null"),
        ({"captions": False}, ["protocol.tasks=[text_to_motion]"], "can be asked for any task"),
    ],
)
def test_data_that_a_later_stage_can_do_nothing_with(tmp_path, options, words, said):
    made = store(tmp_path / "store", **options)
    with pytest.raises(UserError, match=said):
        preflight_of(on_store(made, tmp_path, *words))


def test_data_without_words_costs_only_what_an_evaluator_judges(tmp_path):
    made = store(tmp_path / "store", captions=False)
    plan = on_store(made, tmp_path, "method=lookup", "goal=evaluator")
    (note,) = preflight_of(plan).notes
    assert note.startswith("evaluator: none, and no metric that needs one will be computed: ")
    folder = tmp_path / "run"
    context = StageContext("evaluator", "s", folder, {}, made, log=lambda line: None)
    assert build_stage(plan[0]).run(context) == {} and not folder.exists()


def test_the_bound_of_predictions_holds_every_frame_that_may_come(tmp_path):
    made = store(tmp_path / "store")
    plan = on_store(made, tmp_path, "method=lookup", "protocol.replications=3")
    (generate,) = [stage for stage in plan if stage.run.stage == "generate"]
    row = made.n_features * np.dtype(np.float32).itemsize
    # six clips: own length up to 196 frames, and the two completions of 40; lookup draws nothing
    texts = 6 * 196 + 6 * 30 * 196 * 3
    assert build_stage(generate).disk_bytes(made) == row * (texts + 2 * 6 * 40)


def test_a_dry_run_writes_nothing_not_even_the_store(tmp_path, capsys):
    root = tmp_path / "root"
    words = ["run", "-m", "debug=tiny", "downsampling=2,4", f"paths.root={root}", "--dry-run"]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert not root.exists() and "data would be prepared first in" in said
    assert "will be left out" not in said and "is said when it is prepared" in said
    assert "CPU hours not known" in said or "GPU hours not known" in said
    assert "downsampling=2" in said and "differs in" in said


def test_a_source_that_knows_its_splits_is_believed_before_it_is_prepared(planned):
    large = ["protocol.scoring.pool=32", "protocol.scoring.diversity_pairs=300"]
    said = preflight_of(planned("debug=tiny", "protocol.clips=null", *large)).notes
    assert any("diversity of the test split will be left out" in one for one in said)
    assert any("protocol.scoring.pool=6" in one for one in said)
    codec = ["goal=evaluate_codec", "debug=tiny", *large]
    assert not any("r_top1" in one for one in preflight_of(planned(*codec)).notes)


@pytest.mark.parametrize("data", ["humanml3d", "bvh_folder", "bandai_namco"])
def test_a_dry_run_looks_for_the_files_of_absent_data(tmp_path, capsys, data):
    words = [f"data={data}", f"data.source.path={tmp_path}/nothing", f"paths.root={tmp_path}/root"]
    assert main(["run", *words, "--dry-run"]) == 2
    said = capsys.readouterr().err
    assert f"{tmp_path}/nothing" in said and said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
