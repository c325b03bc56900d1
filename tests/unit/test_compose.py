import pytest

from launch.composition.compose import compose_config
from launch.composition.overrides import choices, expand
from motiongpt.errors import UserError


def test_groups_and_values_compose():
    config = compose_config(["downsampling=8", "seed=7", "stage.tokenizer.schedule.steps=3"])
    assert (
        config.downsampling.frames_per_token
        == config.stage.tokenizer.tokenizer.frames_per_token
        == 8
    )
    assert config.stage.pretrain.seed == 7 and config.stage.tokenizer.schedule.steps == 3


def test_a_sweep_is_every_combination():
    points = expand(["downsampling=1,2,4,8", "seed=range(2)", "tasks=all"])
    assert len(points) == 8 and points[0] == ["downsampling=1", "seed=0", "tasks=all"]
    assert compose_config(points[-1]).downsampling.frames_per_token == 8


def test_a_pattern_is_the_choices_that_fit():
    assert expand(["backbone=glob(gpt2*)"]) == [
        ["backbone=gpt2"],
        ["backbone=gpt2_medium"],
        ["backbone=gpt2_tiny"],
    ]


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("seed=interval(1,3)", "an interval has no end of values"),
        ("backbone=glob(nothing*)", "fits no choice; valid: .*t5_tiny"),
        ("seed=glob(*)", "fits no choice; valid: none"),
    ],
)
def test_values_that_cannot_be_listed_are_named(override, said):
    with pytest.raises(UserError, match=said):
        expand([override])


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("downsampling=3", "downsampling=3: no such choice; valid: 1, 2, 4, 8"),
        ("downsampling=4.5", "no such choice; valid: 1, 2, 4, 8"),
        ("tasks=null", "valid: all, inbetween"),
        ("data=nowhere", "valid: .*synthetic"),
        ("stage.tokenizer.schedul.steps=3", "no such option; did you mean schedule"),
        ("sede=3", "did you mean seed"),
        ("just words", "key=value"),
    ],
)
def test_unknown_words_get_one_line_with_the_valid_ones(override, said):
    with pytest.raises(UserError, match=said) as caught:
        compose_config([override])
    assert "\n" not in str(caught.value)


def test_choices_are_the_yaml_files():
    assert choices("downsampling") == ["1", "2", "4", "8"] and choices("nothing") == []
