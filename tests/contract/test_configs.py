"""Every yaml of conf/ is found, composed and built, so a new one is tested without edits here."""

import importlib
import re
from typing import get_args

import pytest
from hydra.errors import InstantiationException
from omegaconf import DictConfig, ListConfig

from evaluation.metrics.base import Embedded, Kind, Metric
from evaluation.metrics.numbers import Better, Number
from launch.composition.build import build
from launch.composition.compose import compose_config
from launch.composition.datasets import make_source
from launch.composition.method_parts import methods_with
from launch.composition.overrides import CONF
from motiongpt.errors import user_error_behind

GROUPS = sorted(folder.name for folder in CONF.iterdir() if folder.is_dir())
FILES = sorted(
    file.relative_to(CONF) for file in CONF.glob("*/*.yaml") if not file.stem.startswith("_")
)
NESTED = {
    "published": "+published",
    "quantizer": "quantizer@tokenizer.quantizer",
    "decoding": "decoding@protocol.motiongpt.motion_decoding",
}
METHODS = {file.stem: file.read_text() for file in (CONF / "method").glob("[!_]*.yaml")}


def with_group(group):
    """What chooses a method that has a group, where the root has none of it."""
    having = [name for name in methods_with(group) if "codec_class:" not in METHODS[name]]
    return [f"method={having[0]}"] if having and "motiongpt" not in having else []


def with_stage(name):
    """What chooses a method that brings a stage: by its yaml, or by its name."""
    bringing = [method for method, text in METHODS.items() if re.search(rf": {name}$", text, re.M)]
    named = [method for method in METHODS if name.startswith(method)]
    return [f"method={method}" for method in (bringing or named)[:1]]


STATED = "data.source.files_fps=17"


def chosen(file):
    group = str(file.parent)
    if group == "stage":
        return []
    return [*with_group(group), f"{NESTED.get(group, group)}='{file.stem}'"]


def nodes(value):
    if isinstance(value, DictConfig):
        yield value
        for key in value:
            yield from nodes(value[key])
    elif isinstance(value, ListConfig):
        for part in value:
            yield from nodes(part)


@pytest.mark.parametrize("file", FILES, ids=str)
def test_it_composes_and_every_target_exists(file):
    config = compose_config(chosen(file))
    for node in nodes(config):
        if target := node.get("_target_"):
            module, _, name = target.rpartition(".")
            try:
                holder = importlib.import_module(module)
            except ModuleNotFoundError:  # a method of a class
                module, _, klass = module.rpartition(".")
                holder = getattr(importlib.import_module(module), klass)
            assert callable(getattr(holder, name)), target


@pytest.mark.parametrize("file", FILES, ids=str)
def test_its_first_line_says_what_it_is(file):
    lines = (CONF / file).read_text().splitlines()
    said = [line for line in lines[:2] if line.startswith("# ") and not line.startswith("# @")]
    assert said, f"{file} begins without a comment"


@pytest.mark.parametrize("name", [f.stem for f in FILES if f.parent.name == "stage"])
def test_every_stage_builds(name):
    config = compose_config([*with_stage(name), f"+stage@stage.tested={name}"])
    from launch.plans.graph import GRAPH_KEYS

    settings = {key: value for key, value in config.stage.tested.items() if key not in GRAPH_KEYS}
    assert hasattr(build(settings, _recursive_=False), "run")


@pytest.mark.parametrize("name", [f.stem for f in FILES if f.parent.name == "data"])
def test_every_source_keeps_the_protocol(name):
    from motiongpt.data.clip import MotionSource

    config = compose_config([f"data={name}"])
    source = build(config.data.source)
    assert isinstance(source, MotionSource)
    assert config.data.fps == source.fps and config.data.name == name


@pytest.mark.parametrize("name", [f.stem for f in FILES if f.parent.name == "data"])
def test_every_source_has_the_frame_rate_asked_for_or_refuses_it(name):
    asked = compose_config([f"data={name}", "data.fps=17"])
    try:
        source = make_source(asked)
    except InstantiationException as error:
        said = str(user_error_behind(error))
        assert said.startswith("data.fps=17: ") and "\n" not in said
        assert make_source(compose_config([f"data={name}", "data.fps=17", STATED])).fps == 17
    else:
        assert source.fps == 17
    with pytest.raises(InstantiationException) as caught:
        make_source(compose_config([f"data={name}", "data.fps=0"]))
    assert str(user_error_behind(caught.value)).startswith("data.fps=0: expected a number above")


@pytest.mark.parametrize("name", [f.stem for f in FILES if f.parent.name == "tasks"])
def test_every_task_mix_builds(name):
    mix = build(compose_config([f"tasks={name}"]).tasks)
    assert all(task.name == key for key, task in mix.items())


@pytest.mark.parametrize("name", [f.stem for f in FILES if f.parent.name == "metrics"])
def test_every_metric_builds_and_says_what_it_judges(name):
    metrics = build(compose_config([f"metrics={name}"]).metrics)
    assert name == "all" or list(metrics) == [name]
    for metric in metrics.values():
        assert isinstance(metric, Metric)
        assert metric.kinds and metric.kinds <= set(get_args(Kind))
        assert metric.needs <= set(get_args(Embedded))
        assert metric.numbers and all(
            isinstance(one, Number) and one.better in get_args(Better)
            for one in metric.numbers.values()
        )


def test_the_metrics_of_a_kind_of_answer_have_different_numbers():
    names = sorted(f.stem for f in FILES if f.parent.name == "metrics")
    metrics = build(compose_config([f"metrics=[{','.join(names)}]"]).metrics)
    assert set(names) == {"all", *metrics}
    assert "bert_score" not in compose_config().metrics
    for kind in get_args(Kind):
        numbers = [name for one in metrics.values() if kind in one.kinds for name in one.numbers]
        assert numbers and len(numbers) == len(set(numbers))


@pytest.mark.parametrize("name", [f.stem for f in FILES if f.parent.name == "protocol"])
def test_every_protocol_chooses_ways_that_metrics_have(name):
    assert build(compose_config([f"protocol={name}"]).metrics)


@pytest.mark.parametrize("name", [f.stem for f in FILES if f.parent.name == "evaluator"])
def test_every_evaluator_builds(name):
    from evaluation.evaluators.base import EvaluatorSource

    source = build(compose_config([f"evaluator={name}"]).evaluator)
    assert isinstance(source, EvaluatorSource)


@pytest.mark.parametrize("file", [f for f in FILES if f.parent.name == "text_encoder"], ids=str)
def test_every_text_encoder_builds_and_learns_or_says_in_one_line_what_it_lacks(file, tmp_path):
    from motiongpt.errors import UserError
    from motiongpt.text_encoders.base import TextEncoder

    config = compose_config(chosen(file)).text_encoder
    quick = {"source": str(tmp_path / "nowhere"), "steps": 1}
    small = {key: value for key, value in quick.items() if key in config}
    make = build({**config, **small})
    texts, said = [["a person walks", "someone walks"], ["a man hops"]], []
    if "source" in config:
        with pytest.raises(UserError, match="text_encoder.source=.*nowhere can't be loaded"):
            make(texts, 0, said.append)
    else:
        encoder = make(texts, 0, said.append)
        assert isinstance(encoder, TextEncoder)
        assert encoder.encode(["a person walks"]).shape == (1, encoder.width)
    assert said


@pytest.mark.parametrize("name", [f.stem for f in FILES if f.parent.name == "tokenizer"])
@pytest.mark.parametrize("frames", [1, 2, 4, 8])
def test_every_tokenizer_builds_at_every_rate(name, frames):
    small = ["tokenizer.width=16", "tokenizer.code_dim=16"]
    config = compose_config([f"tokenizer={name}", f"downsampling={frames}", *small])
    tokenizer = build(config.tokenizer)(n_features=263)
    assert tokenizer.frames_per_token == frames


@pytest.mark.parametrize("name", [f.stem for f in FILES if f.parent.name == "codec"])
def test_every_continuous_codec_builds(name):
    config = compose_config([*with_group("codec"), f"codec={name}"])
    codec = build(config.codec)(n_features=263)
    assert type(codec).from_arguments(codec.arguments()).n_features == 263


@pytest.mark.parametrize("name", [f.stem for f in FILES if f.parent.name == "launcher"])
def test_every_launcher_builds_and_can_launch(name):
    launcher = build(compose_config([f"launcher={name}"]).launcher)
    assert callable(launcher.describe) and callable(launcher.launch)
