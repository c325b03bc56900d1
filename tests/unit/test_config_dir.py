"""--config-dir: yaml of a user's own, outside the package, for every command that composes."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from launch import score_captions, score_predictions
from launch.commands import audit, data, evaluators, reproduce
from launch.composition.compose import compose_config
from launch.plan_options import wherever_typed
from motiongpt.errors import UserError


@dataclass
class Sentences:
    """Of one system."""

    sentences: dict[str, str]


class Composed(Exception):
    """Ends a command when it has said what it would compose."""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A folder `mine`, beside which we are, with an experiment and captions of one's own."""
    for group, text in {
        "experiment": "# @package _global_\nseed: 77\n",
        "captions": "defaults: [coco]\nreferences: normalised\n",
    }.items():
        (tmp_path / "mine" / group).mkdir(parents=True)
        (tmp_path / "mine" / group / "mine.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "mine"


def composed_by(monkeypatch, module, name, main, arguments):
    """The words by which `module.name` was to compose something."""
    given = []

    def ends(words, *rest, **more):
        given.append((words, rest))
        raise Composed

    monkeypatch.setattr(module, name, ends)
    with pytest.raises(Composed):
        main(arguments)
    return given[0]


@pytest.mark.parametrize(
    ("module", "name", "arguments"),
    [
        (data, "compose_config", ["prepare"]),
        (data, "compose_config", ["verify"]),
        (data, "compose_config", ["show"]),
        (data, "compose_config", ["card"]),
        (score_predictions, "plan_point", ["mine"]),
        (audit, "compose_config", []),
    ],
)
def test_it_is_told_to_hydra(module, name, arguments, own, monkeypatch):
    words, _ = composed_by(
        monkeypatch, module, name, module.main,
        [*arguments, "experiment=mine", "--config-dir", "mine"],
    )  # fmt: skip
    assert compose_config([word for word in words if not word.startswith("goal=")]).seed == 77


def test_a_card_is_run_with_it(own, monkeypatch):
    arguments = ["card", "--config-dir", "mine", "experiment=mine"]
    words, _ = composed_by(monkeypatch, evaluators.run_command, "main", evaluators.main, arguments)
    assert compose_config(words).seed == 77 and "goal=card" in words
    with pytest.raises(UserError, match="one finished run alone, or overrides"):
        evaluators.main(["card", "a_run", "--config-dir", "mine"])


@pytest.mark.parametrize(("command", "table"), [(reproduce, ["table=downsampling"]), (audit, [])])
def test_a_sweep_is_recorded_so_that_it_can_be_resumed_elsewhere(command, table, own, monkeypatch):
    arguments = [*table, "--config-dir=mine", "experiment=mine", "--again", "tokens"]
    points, (recorded,) = composed_by(
        monkeypatch, command, "plan_experiments", command.main, arguments
    )
    assert all(compose_config(point).seed == 77 for point in (points[0], points[-1]))
    name, *words = recorded
    assert words[:2] == ["--config-dir", str(own)] and "mine" not in words
    monkeypatch.chdir("/")
    again, _ = composed_by(monkeypatch, command, "plan_experiments", command.main, words)
    assert again == points and name == command.__name__.rpartition(".")[2]


def test_without_it_the_words_stay_as_they_are():
    words = ["table=t2m", "--again", "tokens", "--output", "x"]
    assert wherever_typed(words) == words
    assert wherever_typed([*words, "--config-dir", "/a b"]) == ["--config-dir", "/a b", *words]


def test_captions_of_ones_own_are_scored(own, monkeypatch):
    files = {"read_references": {"a": ["x"]}, "read_systems": {"one": Sentences({"a": "x"})}}
    for name, content in files.items():
        monkeypatch.setattr(score_captions, name, lambda *ignored, content=content: content)
    arguments = ["--references", "r", "--predictions", "p", "--config-dir", "mine"]
    words, _ = composed_by(
        monkeypatch, score_captions, "compose_config", score_captions.main,
        [*arguments, "captions=mine"],
    )  # fmt: skip
    assert compose_config(words).captions.references == "normalised"


def test_a_folder_that_reads_as_a_reference_is_refused(tmp_path):
    folder = tmp_path / "a${b}"
    folder.mkdir()
    with pytest.raises(UserError, match=r"--config-dir: .*a\$\{b\}: .* as a reference") as caught:
        data.main(["show", "--config-dir", str(folder)])
    assert "\n" not in str(caught.value) and Path(folder).is_dir()
