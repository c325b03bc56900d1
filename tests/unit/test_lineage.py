"""What a run was trained with, out of the records of what it builds on."""

from pathlib import Path

import pytest

from launch.composition.compose import Composer
from launch.composition.recorded import data_digest, made_by
from launch.jobs.lineage import lineage
from launch.plans.graph import plan_experiment, recorded_settings
from launch.runs.ledger import CONFIG
from motiongpt.files import write_json

COMPOSER = Composer()


def trained(root, *words):
    """The lineage of the goal after all that it builds on has left its records."""
    plan = plan_experiment(COMPOSER.compose([f"paths.root={root}", *words]).config, Path(), "f")
    for stage in plan[:-1]:
        write_json(stage.run.folder / CONFIG, recorded_settings(stage))
        write_json(stage.run.folder / "status.json", {"state": "finished"})
    return plan[-1], lineage(plan[-1])


def test_training_seeds_are_those_of_the_model_and_not_of_its_judges(tmp_path):
    _, found = trained(tmp_path, "seed=7", "evaluation_seed=8")
    assert found.seeds == {"tokenizer": 7, "pretrain": 7, "instruct": 7}
    _, found = trained(tmp_path, "seed=7", "method=lookup")
    assert found.seeds == {}


def test_a_recipe_is_the_signature_without_training_seeds(tmp_path):
    (one, first), (other, second) = (trained(tmp_path, f"seed={seed}") for seed in (1, 2))
    assert one.run.signature != other.run.signature and first.recipe == second.recipe
    others = [
        "stage.tokenizer.learning_rate=1e-3",
        "evaluation_seed=3",
        "protocol.replications=3",
        "stage.instruct.schedule.steps=7",
    ]
    recipes = [trained(tmp_path, word)[1].recipe for word in others]
    assert len({first.recipe, *recipes}) == 5


def test_a_parent_without_a_record_counts_as_it_is(tmp_path):
    plan = plan_experiment(COMPOSER.compose([f"paths.root={tmp_path}"]).config, Path(), "f")
    found = lineage(plan[-1])
    assert found.seeds == {} and len(found.recipe) == 16


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("experiment=quickstart downsampling=2", ["experiment=quickstart", "downsampling=2"]),
        ("paths.root=/x launcher=slurm launcher.partition=gpu +logger.a=1 seed=2", ["seed=2"]),
        ("data=bandai_namco data.source.path=/home/me/bandai.tar.xz",
         ["data=bandai_namco", "data.source.path=bandai.tar.xz"]),
        ("backbone.source=google/flan-t5-base ~stage.a +b.c=[1, 2]",
         ["backbone.source=google/flan-t5-base", "~stage.a", "+b.c=[1, 2]"]),
        ("", []),
    ],
)  # fmt: skip
def test_overrides_are_recorded_as_they_hold_on_any_machine(line, kept):
    plain = {"data": {"name": "test"}}
    assert made_by([line, "other=1"], plain)["overrides"] == kept
    assert made_by([], plain) == {}


def test_the_datas_settings_are_the_same_wherever_it_lies():
    def found(*words):
        return data_digest(COMPOSER.compose(["data=bandai_namco", *words]).plain)

    assert found("data.source.path=/a/b.zip") == found("data.source.path=/c/b.zip")
    assert found("data.source.path=/a/b.zip") == found("data.source.path=b.zip")
    assert found() != found("data.source.split=held_out_cells")
    assert found() == found("data.source.workers=7")
