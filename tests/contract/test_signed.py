"""What every stage's signature leaves out, and what it takes by content: an explicit list.

A new field of any yaml is signed. One that is not has to be added here, with its reason.
"""

import copy
import re
from functools import cache
from pathlib import Path

import pytest

from launch.composition.compose import Composer, compose_config
from launch.composition.declarations import BY_CONTENT, RESERVED, UNSIGNED, all_declared
from launch.composition.signatures import digest, signature, signed_part
from launch.plans.graph import plan_experiment
from tests.contract.test_configs import FILES, chosen, with_stage

# Field of a stage's settings -> why it can change no number of the stage.
LEFT_OUT = {
    "hardware": "where it runs; Hardware says that nothing of it may change a result",
    "schedule.checkpoint_every": "how often a training can go on from, not what it learns",
    "group": "under which name loggers and tables gather runs",
    "pictures": "how many clips are drawn beside the numbers",
    "preview": "whether a clip is drawn beside its reconstruction",
}
# Field -> what lies there.
CONTENT = {
    "weights": "a model folder",
    "evaluator.weights": "T2M's or TMR's folder of weights",
    "evaluator.statistics": "the folder of TMR's mean and std",
    "evaluator.text_encoder.source": "a text encoder's folder, or its name on the hub",
    "evaluator.sentence_encoder.source": "the same, that tells look-alike captions",
    "evaluator.word_vectors": "GloVe's folder or file",
    "tasks.templates": "a JSON file of instruction templates",
    "method.mix.templates": "the same, where the method generates",
    "backbone.source": "a language model's folder, or its name on the hub",
    "text_encoder.source": "a text encoder's folder, or its name on the hub",
    "source": "a GPT-2's folder, or its name on the hub, of MotionGPT3's first stage",
    "metrics.bert_score.back_end.folder": "a copy of BERTScore's model",
    "captions.back_end.bleu_script": "a copy of the script of BLEU",
    "metrics.captions.back_end.bleu_script": "the same, where the metric is built of it",
}
# Field of `data` -> why it does not change what the store holds.
NOT_OF_THE_STORE = {
    "source.workers": "processes that read; the content is the same",
    "source.progress": "a bar",
    "source.download": "how the files come to their place",
    "source.words": "from where download brings the files",
    "source.motions": "the same",
    "source.how_to_get": "words of an error message",
    "source.resample": "data.fps, which is signed, says whether anything is resampled",
}
MEMBER = re.compile(r"^(source\.)?members\.\w+\.")
MORE = [[], ["metrics=[all,bert_score]"], ["captions=nlg_metricverse"]]


@cache
def composed():
    """The configuration of each choice of each group, and of each stage's yaml.

    From the last to the first, while another process goes through them from the first on.
    """
    composer = Composer()
    choices = [
        [*with_stage(file.stem), f"+stage@stage.tested={file.stem}"]
        if file.parent.name == "stage"
        else chosen(file)
        for file in FILES
    ]
    return [
        (" ".join(words), composer.compose(words).plain) for words in [*reversed(choices), *MORE]
    ]


def settings_of_stages():
    """Settings of all stages of all configurations, each once."""
    return {
        digest(settings): (f"{words} stage.{name}", settings)
        for words, plain in composed()
        for name, settings in plain["stage"].items()
        if settings is not None  # a stage that a method does not have
    }.values()


def leaves(settings, path=()):
    """Paths of all values that hold no others; an empty mapping or list is one."""
    members = settings.items() if isinstance(settings, dict) else enumerate(settings)
    for key, value in members:
        if key in RESERVED:
            continue
        if isinstance(value, dict | list) and value:
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key)


def at(settings, path):
    for key in path:
        settings = settings[key]
    return settings


def exists(settings, dotted):
    try:
        at(settings, dotted.split("."))
    except (KeyError, TypeError):
        return False
    return True


def declared(settings, kind):
    return {".".join(one.path) for one in all_declared(settings) if one.kind == kind}


def signed_after_a_change(settings, path):
    holder = at(settings, path[:-1])
    before, holder[path[-1]] = holder[path[-1]], "another/name"
    found = digest(signed_part(settings))
    holder[path[-1]] = before
    return found


@pytest.mark.parametrize(
    ("kind", "allowed"), [(UNSIGNED, LEFT_OUT), (BY_CONTENT, CONTENT)], ids=["left out", "content"]
)
def test_stages_declare_what_is_on_the_list_and_nothing_else(kind, allowed):
    found = set()
    for where, settings in settings_of_stages():
        expected = {path for path in allowed if exists(settings, path)}
        assert declared(settings, kind) == expected, where
        found |= expected
    assert found == set(allowed)


def test_data_declares_what_is_on_the_list_and_nothing_else():
    found = set()
    for where, plain in composed():
        places = ["", *(f"{place}{name}." for place, name in members(plain["data"]))]
        expected = {
            f"{place}{path}"
            for place in places
            for path in NOT_OF_THE_STORE
            if exists(plain["data"], f"{place}{path}")
        }
        assert declared(plain["data"], UNSIGNED) == expected, where
        assert not declared(plain["data"], BY_CONTENT), where
        found |= {MEMBER.sub("", path) for path in expected}
    assert found == set(NOT_OF_THE_STORE)


def members(data):
    """Where a mix names its members, and their names."""
    for place in ("members.", "source.members."):
        if exists(data, place.rstrip(".")):
            yield from ((place, name) for name in at(data, place.rstrip(".").split(".")))


def mappings(value):
    if isinstance(value, dict):
        yield value
    for part in value.values() if isinstance(value, dict) else value:
        if isinstance(part, dict | list):
            yield from mappings(part)


def test_what_may_be_a_local_folder_is_signed_by_content():
    found = set()
    for where, plain in composed():
        settings = {key: value for key, value in plain.items() if key != "data"}
        for node in mappings(settings):
            if isinstance(node.get("source"), str):
                assert "source" in node.get(BY_CONTENT, ()), f"{where}: {node['source']}"
                found.add(node["source"])
    assert {"google/flan-t5-base", "openai/clip-vit-base-patch32"} <= found


def test_what_is_declared_is_there():
    for where, plain in composed():
        for one in all_declared(plain):
            assert exists(plain, ".".join(one.path)), f"{where}: {one}"


def test_every_other_value_changes_the_signature_of_its_stage():
    seen = set()  # a value is signed or not by where it stands and by what is declared around it
    for where, settings in settings_of_stages():
        before = digest(signed_part(settings))
        around = frozenset((one.kind, tuple(one.path)) for one in all_declared(settings))
        for path in leaves(settings):
            if (path, around) in seen:
                continue
            seen.add((path, around))
            dotted = ".".join(map(str, path))
            left_out = any(f"{dotted}.".startswith(f"{one}.") for one in LEFT_OUT)
            after = signed_after_a_change(settings, path)
            assert (after == before) == left_out, f"{where}: {dotted}"


def test_every_value_of_the_data_that_is_not_on_the_list_names_another_store():
    for where, plain in {
        digest(plain["data"]): (name, plain) for name, plain in composed()
    }.values():
        before = digest(signed_part(plain["data"]))
        for path in leaves(plain["data"]):
            dotted = ".".join(map(str, path))
            after = signed_after_a_change(plain["data"], path)
            own = MEMBER.sub("", dotted)
            left_out = any(f"{own}.".startswith(f"{one}.") for one in NOT_OF_THE_STORE)
            assert (after == before) == left_out, f"{where}: {dotted}"


# What changes every number of a training, wherever it stands in a stage's settings.
NEVER_UNSIGNED = ("seed", "version", "precision", "steps", "learning_rate", "batch_size")


def test_nothing_of_a_training_is_on_the_list():
    assert RESERVED == ("_unsigned_", "_by_content_")
    for dotted in (*LEFT_OUT, *NOT_OF_THE_STORE):
        assert not set(dotted.split(".")) & set(NEVER_UNSIGNED), dotted


def test_seed_version_and_precision_are_signed_in_every_stage_that_has_them():
    """By the signature alone: neither the lists here nor what a yaml declares is asked."""
    found = set()
    for where, settings in settings_of_stages():
        before = signature("stage", settings, "data", {})
        for path in paths_to(settings, NEVER_UNSIGNED):
            if path[0] == "hardware":
                continue
            changed = copy.deepcopy(settings)
            at(changed, path[:-1])[path[-1]] = "another"
            after = signature("stage", changed, "data", {})
            assert after != before, f"{where}: {'.'.join(map(str, path))}"
            found.add(path[-1])
    assert found == set(NEVER_UNSIGNED)


def paths_to(settings, names, path=()):
    """Paths of the values with one of these names, at any depth."""
    for key, value in settings.items() if isinstance(settings, dict) else enumerate(settings):
        if key in names and not isinstance(value, dict | list):
            yield (*path, key)
        elif isinstance(value, dict | list):
            yield from paths_to(value, names, (*path, key))


@pytest.mark.parametrize(
    "word",
    ["seed=1", "stage.tokenizer.version=99", "trainer.precision=bf16-mixed"],
)
def test_what_a_training_is_made_with_names_another_run(word):
    def found(*words):
        plan = plan_experiment(compose_config([*words, "goal=tokenizer"]), Path(), "f")
        return plan[-1].run.signature

    assert found() != found(word)
