"""No value reaches one stage at two places that nobody compares."""

import re
from collections import defaultdict

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf

from evaluation.replications.agreement import OF_CAPTIONS, OF_SCORING, check_agreement
from launch.composition.compose import compose_config
from launch.composition.declarations import RESERVED, stripped
from launch.composition.overrides import CONF
from launch.plans.graph import GRAPH_KEYS
from motiongpt.errors import UserError
from tests.contract.test_configs import FILES

REFERENCE = re.compile(r"\$\{([\w.]+)\}")
# Where the places of one value are compared, or which of them counts.
COMPARED = {
    **{
        f"protocol.scoring.{key}": "check_agreement, when the stage is built"
        for of_metric in OF_SCORING.values()
        for key in of_metric.values()
    },
    **{
        f"captions.{key}": "check_agreement, when the stage is built"
        for keys in OF_CAPTIONS.values()
        for key in keys
    },
    "tasks.prompts": "generation's asks a trained model, the tasks' is of the training",
    "tasks.placeholders": "as prompts",
    "tasks.replies": "as prompts",
    "published.name": "a name in tables",
    "data.name": "a name in tables, and the group's where it has none of its own",
}
CHOICES = [
    [],
    ["captions=nlg_metricverse", "metrics=[all,bert_score]", "backbone=gpt2"],
    ["experiment=published"],
    *([f"method={file.stem}"] for file in FILES if file.parent.name == "method"),
]


class Raw:
    """A composed configuration whose references still stand in it."""

    def __init__(self, overrides):
        GlobalHydra.instance().clear()
        with initialize_config_dir(config_dir=str(CONF), version_base="1.3"):
            self.values = OmegaConf.to_container(compose("config", overrides=overrides))
        self.values["choices"] = defaultdict(str)

    def at(self, path):
        found = self.values
        for key in path:
            found = found[key]
        return found

    def owner(self, path):
        """Where the value at `path` really stands."""
        place = ()
        for key in path:
            place = (*place, key)
            while isinstance(found := self.at(place), str) and REFERENCE.fullmatch(found):
                place = self.owner(REFERENCE.fullmatch(found)[1].split("."))
        return place

    def places(self, stage):
        """Owner of each value of a stage's settings -> where in them it is used."""
        found = defaultdict(list)

        def walk(path, place):
            place = self.owner(place)
            value = self.at(place)
            if isinstance(value, dict):
                for key in value.keys() - set(RESERVED):
                    walk((*path, key), (*place, key))
            else:
                found[".".join(place)].append(".".join(path))

        walk((), ("stage", stage))
        return found


@pytest.mark.parametrize("overrides", CHOICES, ids=" ".join)
def test_what_is_given_twice_is_compared(overrides):
    raw = Raw(overrides)
    for stage, settings in raw.values["stage"].items():
        if settings is None:  # a stage that the method does not have
            continue
        for owner, places in raw.places(stage).items():
            known = any(f"{owner}.".startswith(f"{one}.") for one in COMPARED)
            constant = owner.endswith(("_target_", "_partial_"))
            assert len(places) == 1 or known or constant, f"{stage}: {owner} at {places}"


def test_metrics_take_from_the_protocol_what_is_compared_and_nothing_else():
    raw = Raw(["metrics=[all,bert_score]"])
    taken = defaultdict(dict)
    for name, settings in raw.values["metrics"].items():
        for argument, value in settings.items():
            if isinstance(value, str) and value.startswith("${protocol."):
                taken[name][argument] = value.removeprefix("${protocol.scoring.").rstrip("}")
            elif isinstance(value, str) and value.startswith("${captions."):
                assert argument in OF_CAPTIONS[name]
    assert taken == OF_SCORING


@pytest.mark.parametrize(
    ("override", "said"),
    [
        (
            "metrics.r_precision.pool=16",
            r"metrics\.r_precision\.pool=16, but protocol\.scoring\.po",
        ),
        ("metrics.fde.frames=padded_end", r"protocol\.scoring\.displacement=own_end is"),
        ("metrics.captions.references=normalised", r"captions\.references=raw is"),
        ("metrics.captions.back_end=null", "captions.back_end="),
    ],
)
def test_metrics_that_differ_from_the_record_are_refused(override, said):
    settings = OmegaConf.to_container(compose_config([override]).stage.evaluate)
    settings = stripped({key: one for key, one in settings.items() if key not in GRAPH_KEYS})
    with pytest.raises(UserError, match=said) as caught:
        check_agreement(settings["metrics"], settings["protocol"]["scoring"], settings["captions"])
    assert "\n" not in str(caught.value)
    same = OmegaConf.to_container(compose_config(["protocol.scoring.pool=16"]).stage.evaluate)
    check_agreement(same["metrics"], same["protocol"]["scoring"], same["captions"])
