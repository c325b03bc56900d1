"""Wrong options: one line that names the option and mends it, before anything is done."""

from pathlib import Path

import pytest
from omegaconf import OmegaConf

from launch import cli
from launch.composition import datasets
from launch.composition.build import build
from launch.composition.checks import check_calls
from launch.composition.compose import compose_config
from launch.composition.declarations import stripped
from launch.composition.overrides import in_quotes, parse_overrides, with_config_dir
from launch.plans.planning import plan_sweep
from motiongpt.errors import UserError
from motiongpt.yaml_files import read_yaml

TEXTS = [
    "/data/run=3",
    "/tmp/(a)",
    "/数据/#1",
    "it's",
    'a"b',
    "back\\",
    'x\\"y',
    "a,b",
    "[x",
    "{a}",
]


@pytest.mark.parametrize("text", TEXTS)
def test_quotes_within_quotes_take_any_text(text):
    (override,) = parse_overrides([f"data.source.path={in_quotes(text)}"])
    assert override.value() == text


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("data.source.path=/data/run=3", """needs quotes within quotes: 'data.source.path="/da"""),
        ("data.source.path=/tmp/(a)", """'data.source.path="/tmp/(a)"'"""),
        ("data.source.path=/data/数据", """'data.source.path="/data/数据"'"""),
        ("data.source.path=it's", "needs quotes within quotes"),
        ("seed=[1", "[ is opened and not closed"),
        ("seed='x", "' is opened and not closed"),
        ("seed", "written key=value"),
        ("=3", "no name of an option"),
        ("a..b=1", "'a..b' is no name of an option"),
        ("seed=" + "[" * 2000 + "]" * 2000, "no override that could be understood"),
    ],
)
def test_a_word_that_cannot_be_parsed_gets_a_true_hint(word, said):
    with pytest.raises(UserError) as caught:
        parse_overrides([word])
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_home_is_where_a_value_begins():
    words = ["a=~/b", 'a="~/b"', "a=[~/b,c]", "~shown", "a=x"]
    home = str(Path.home())
    assert [str(one.input_line) for one in parse_overrides(words)] == [
        *(f"a={home}/b", f'a="{home}/b"', f"a=[{home}/b,c]", "~shown", "a=x")
    ]


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("data.source.clips=many", "data.source.clips=many: a number is needed, as 2000"),
        ("seed=true", "seed=true: a number is needed"),
        ("seed='5'", "a number is needed"),
        ("seed=-1", "seed=-1: a whole number from 0 to 4294967295 is needed"),
        ("evaluation_seed=-1", "evaluation_seed=-1: a whole number from 0 to 4294967295"),
        ("evaluation_seed=4294967296", "evaluation_seed=4294967296: a whole number from 0"),
        ("evaluation_seed=1.5", "evaluation_seed=1.5: a whole number from 0"),
        ("evaluation_seed=true", "evaluation_seed=true: a number is needed"),
        ("evaluation_seed=${trainer.hardware.compile}", "evaluation_seed=False: a whole number"),
        ("shown=x", "shown=x: a list"),
        ("data.source=3", "data.source=3: a set of options"),
        ("trainer.hardware.compile=1", "true or false is needed, as False"),
        ("seed=null", "seed: every experiment needs it"),
        ("~method", "~method: the rest of the experiment refers to method; leave it, or choose"),
        ("~evaluator", "~evaluator: the rest of the experiment refers to evaluator"),
        ("~protocol", "~protocol: the rest of the experiment refers to protocol"),
        ("~backbone", "~backbone: the rest of the experiment refers to backbone"),
        ("~data.source", "data.source: every experiment needs it"),
        ("seed.x=1", "seed is one value, and has none below it"),
        ("seed=1,2", "several values are a sweep"),
        ("downsampling=[4]", "no such choice; valid: 1, 2, 4, 8"),
        ("seed=${nowhere}", "seed: refers to nowhere, and there is none"),
    ],
)
def test_a_value_of_another_kind_is_refused(word, said):
    with pytest.raises(UserError) as caught:
        compose_config([word])
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_what_a_class_does_not_take_is_refused_where_it_is_built():
    node = {"_target_": "motiongpt.data.synthetic.SyntheticSource", "clips": 3}
    assert len(build(node)) == 3
    for wrong, said in [
        ({"foo": 1}, "data.source.foo: no such option; .* takes clips, seed"),
        ({"clips": "many"}, "data.source.clips=many: a whole number is needed"),
        ({"clips": None}, "data.source.clips=null: a whole number is needed"),
        ({"actions": "walk"}, "data.source.actions=walk: a list or mapping or null is needed"),
        ({"_target_": "nowhere.Class"}, "there is no such class"),
    ]:
        with pytest.raises(UserError, match=said):
            build({**node, **wrong}, "data.source")


def test_options_that_go_on_to_a_class_above_are_known():
    stage = {"_target_": "motiongpt.codecs.vq_vae.stage.TokenizerStage", "window": 64}
    check_calls({**stage, "learning_rate": 1e-4}, "stage.tokenizer")
    with pytest.raises(UserError, match=r"stage\.tokenizer\.foo: no such option"):
        check_calls({**stage, "foo": 1}, "stage.tokenizer")


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("+stage.instruct.foo=1", "stage.instruct.foo: no such option"),
        ("tokenizer.width=null", "tokenizer.width=null: a whole number"),
        ("+trainer.hardware.foo=1", "trainer.hardware.foo: no such option"),
        ("goal=[]", "one stage at least"),
    ],
)
def test_a_sweep_is_refused_before_its_first_stage(word, said, monkeypatch):
    monkeypatch.setattr(datasets, "ensure_store", lambda config: (Path("data"), "f"))
    with pytest.raises(UserError) as caught:
        plan_sweep([["goal=instruct", word]])
    assert said in str(caught.value)


@pytest.mark.parametrize("word", ["+data.source.foo=1", "data.source.clips=0"])
def test_the_command_line_has_no_traceback(word, tmp_path, capsys):
    code = cli.main(["run", word, f"paths.root={tmp_path}", "goal=tokenizer", "--dry-run"])
    said = capsys.readouterr().err
    assert code == 2 and said.count("\n") == 1 and "clips" in said
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("preset", ["debug=tiny", "experiment=quickstart"])
def test_presets_go_with_any_data(preset):
    for data in ("bvh_folder", "humanml3d", "kit", "motionx", "bandai_namco"):
        source = OmegaConf.to_container(compose_config([preset, f"data={data}"]).data.source)
        check_calls(stripped(source), "data.source")
    clips = compose_config([preset]).data.source.clips
    assert clips == {"debug=tiny": 60, "experiment=quickstart": 4000}[preset]


@pytest.fixture
def own(tmp_path):
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text("# @package _global_\nseed: 77\n")
    return tmp_path


def test_own_configs_lie_outside_of_the_package(own):
    words = with_config_dir(["experiment=mine"], str(own))
    assert compose_config(words).seed == 77
    more = with_config_dir(["hydra.searchpath=[pkg://launch]"], str(own))
    assert more == [f'hydra.searchpath=["pkg://launch","file://{own}"]']
    with pytest.raises(UserError, match="valid: bandai_small, .*mine, .*motiongpt_base"):
        compose_config(with_config_dir(["experiment=nothing"], str(own)))
    with pytest.raises(UserError, match="nowhere: no such folder"):
        compose_config(with_config_dir([], "/nowhere"))


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
        + "".join(
            f"{b}: &{b} [{','.join([f'*{a}'] * 10)}]\n"
            for a, b in zip("abcdef", "bcdefg", strict=True)
        ),
        "a: &a [*a]\n",
        "a: !!python/object/apply:os.system ['touch PWNED']\n",
        "a: [\n",
    ],
    ids=["bomb", "loop", "tag", "broken"],
)
def test_a_hostile_yaml_is_one_line(text, own, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bad = own / "experiment" / "bad.yaml"
    bad.write_text(text)
    with pytest.raises(UserError) as caught:
        read_yaml(bad)
    assert "\n" not in str(caught.value) and str(bad) in str(caught.value)
    with pytest.raises(UserError) as caught:
        compose_config(with_config_dir(["experiment=bad"], str(own)))
    assert "\n" not in str(caught.value) and "bad.yaml" in str(caught.value)
    assert not Path("PWNED").exists()
