import pytest

from launch.composition.compose import compose_config
from launch.plans.planning import plan_sweep
from launch.sweeps.preflight import preflight_of
from motiongpt.errors import UserError
from motiongpt.training.schedule import Schedule


def test_a_yaml_says_a_schedule():
    made = Schedule.of({"steps": 3, "batch_size": 2, "gradient_clip": 0.5})
    assert (made.steps, made.batch_size, made.gradient_clip, made.bucket) == (3, 2, 0.5, 1)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"foo": 1}, "schedule.foo: no such option; valid: steps, batch_size"),
        ({"steps": 0}, "schedule.steps is 0"),
        ({"batch_size": 2.5}, "schedule.batch_size is 2.5"),
        ({"checkpoint_every": -1}, "schedule.checkpoint_every is -1"),
        ({"precision": "8"}, "precision is 8; valid: 32-true"),
        ({"gradient_clip": 0}, "schedule.gradient_clip is 0"),
    ],
)
def test_what_nothing_can_be_trained_with_is_refused(values, said):
    with pytest.raises(UserError, match=said):
        Schedule.of({"steps": 3, "batch_size": 2, **values})


def test_what_is_missing_is_named():
    with pytest.raises(UserError, match="schedule.batch_size is missing"):
        Schedule.of({"steps": 3})


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("+stage.tokenizer.schedule.foo=1", "schedule.foo: no such option"),
        ("stage.tokenizer.schedule.steps=0", "schedule.steps is 0"),
        ("stage.tokenizer.schedule=null", "schedule=null: a list or mapping is needed"),
        ("stage.tokenizer.learning_rate=-1", "learning_rate is -1"),
        ("trainer.precision=8", "precision is 8; valid"),
    ],
)
def test_they_are_refused_before_anything_is_trained(word, said, tmp_path):
    words = [f"paths.root={tmp_path}", "debug=tiny", "goal=tokenizer", word]
    with pytest.raises(UserError, match=said):
        preflight_of(plan_sweep([words], prepare=False)[0])


@pytest.mark.parametrize("word", ["seed=-1", "seed=1.5", "seed=4294967296"])
def test_a_seed_that_cannot_be_sown_is_refused(word):
    with pytest.raises(UserError, match="a whole number from 0 to 4294967295 is needed"):
        compose_config([word])
