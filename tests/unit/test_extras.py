"""What is installed with what: pyproject.toml and the Makefile."""

import tomllib

import pytest
from packaging.requirements import Requirement

from evaluation.captions.nlg_metricverse import NlgMetricverseBackEnd
from launch.runs.sources import HOME
from motiongpt.errors import UserError

PROJECT = tomllib.loads((HOME / "pyproject.toml").read_text())["project"]


def test_both_transformers_can_be_installed_unless_nlg_metricverse_is():
    needed = {one.name: one for one in map(Requirement, PROJECT["dependencies"])}
    assert all(needed["transformers"].specifier.contains(one) for one in ("4.57.0", "5.24.0"))
    assert "nlg-metricverse" not in needed and "pyarrow" not in needed
    extra = [Requirement(one) for one in PROJECT["optional-dependencies"]["nlg-metricverse"]]
    assert {one.name for one in extra} == {"nlg-metricverse", "pyarrow", "transformers"}


def test_make_install_brings_the_extra():
    assert ".[test,sweepers,nlg-metricverse]" in (HOME / "Makefile").read_text()


def test_without_the_extra_its_scores_are_refused_when_they_are_chosen(monkeypatch):
    monkeypatch.setattr("evaluation.captions.nlg_metricverse.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"not installed; .*\.\[nlg-metricverse\]") as error:
        NlgMetricverseBackEnd()
    assert "\n" not in str(error.value)
