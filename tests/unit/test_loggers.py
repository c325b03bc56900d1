from dataclasses import replace
from typing import ClassVar

import pytest
from lightning.pytorch.loggers import Logger
from omegaconf import OmegaConf

from launch.composition.compose import compose_config
from launch.loggers.naming import LONGEST_NAME, LONGEST_TAG, logged_settings, run_name, tags
from launch.loggers.stage_loggers import StageLoggers
from launch.loggers.sweep_report_logger import log_sweep_report
from launch.loggers.wandb_server import check_server
from motiongpt.training.stopping import Interrupted
from tests.unit.plans import planned
from tests.wandb_parts import only_part


class Kept(Logger):
    """Keeps what it is given; fails in the method that `fails` names."""

    opened: ClassVar[list["Kept"]] = []
    name = version = ""

    def __init__(self, fails="", **settings):
        self.fails, self.settings, self.metrics, self.ended = fails, settings, [], ""
        self._fail("__init__")
        Kept.opened.append(self)

    def _fail(self, where):
        if self.fails == where:
            raise RuntimeError(f"{where} does not work\nand more")

    def log_metrics(self, metrics, step=None):
        self._fail("log_metrics")
        if self.fails == "interrupted":
            raise Interrupted
        self.metrics.append((step, metrics))

    def log_hyperparams(self, params, *args, **kwargs):
        self._fail("log_hyperparams")
        self.params = params

    def finalize(self, status):
        self._fail("finalize")
        self.ended = status


@pytest.fixture(autouse=True)
def nothing_opened():
    Kept.opened = []


def node(fails=""):
    return {
        "_target_": "tests.unit.test_loggers.Kept",
        "fails": fails,
        "group": "<group>",
        "id": "<run_id>",
        "tags": "<tags>",
        "deep": {"job": "<stage>", "folder": "<folder>", "other": "<unknown>"},
    }


def stage(root, loggers, needed_for=("a=1",)):
    config = OmegaConf.create({"group": "mine", "data": {"name": "dance"}, "logger": loggers})
    tokenizer = planned(root, "tokenizer", "0123456789abcdef")
    made = planned(root, "tokens", "fedcba9876543210", [tokenizer])
    return replace(made, config=config, needed_for=needed_for)


def test_names_in_brackets_are_filled(tmp_path):
    for given, seen in (("sweep-1", "sweep-1"), ("", "mine")):
        Kept.opened = []
        StageLoggers(stage(tmp_path, {"kept": node()}), tmp_path / "here", given).open()
        (kept,) = Kept.opened
        assert kept.settings["group"] == seen
        assert kept.settings["id"] == "tokens-fedcba9876543210"
        assert kept.settings["deep"] == {
            "job": "tokens",
            "folder": str(tmp_path / "here"),
            "other": "<unknown>",
        }
        assert kept.settings["tags"] == ["tokens", "dance"]


def test_the_configuration_names_parents_and_points(tmp_path):
    kept = logged_settings(stage(tmp_path, {}, ("a=1 b=2", "a=2 b=2")))
    assert kept["parents"] == {"tokenizer": "0123456789abcdef"}
    assert kept["parent_runs"] == {"tokenizer": "tokenizer-0123456789abcdef"}
    assert kept["points"] == ["a=1 b=2", "a=2 b=2"]


def test_the_values_of_a_sweep_stand_on_top_as_numbers(tmp_path):
    points = ("method=mld tokenizer.width=512 optimizer.lr=1e-4 paths.root=/x seed=1",)
    kept = logged_settings(stage(tmp_path, {}, points))
    assert (kept["method"], kept["width"], kept["seed"]) == ("mld", 512, 1)
    assert kept["lr"] == 1e-4 and "root" not in kept and "width" not in kept["data"]
    kept = logged_settings(stage(tmp_path, {}, ("a.width=1 b.width=2",)))
    assert (kept["a.width"], kept["b.width"]) == (1, 2)


def test_a_run_is_named_by_what_made_it(tmp_path):
    points = ("experiment=quickstart method=mld logger=csv stage.tokenizer.width=512 seed=1",)
    named = run_name(stage(tmp_path, {}, points))
    assert named == "tokens quickstart mld width=512 seed=1"
    shared = stage(tmp_path, {}, ("method=mld l=2", "method=t2m_gpt l=2"))
    assert run_name(shared) == "tokens l=2"
    assert run_name(stage(tmp_path, {}, ("",))) == "tokens"
    long = [run_name(stage(tmp_path, {}, (f"a={'x' * 99}{end}",))) for end in "12"]
    assert [len(one) for one in long] == [LONGEST_NAME] * 2 and long[0] != long[1]


def test_tags_are_few_and_of_a_length_that_wandb_takes(tmp_path):
    of_sweep = stage(tmp_path, {}, tuple(f"a={number} b=2" for number in range(30)))
    assert tags(of_sweep) == ["tokens", "dance"]
    named = {"method": {"name": "mld"}, "data": {"name": "d" * 80}}
    found = tags(replace(of_sweep, config=OmegaConf.create(named)))
    assert found[:2] == ["tokens", "mld"] and len(found[2]) == LONGEST_TAG


@pytest.mark.parametrize("fails", ["__init__", "log_hyperparams", "log_metrics", "finalize"])
def test_a_logger_that_fails_is_left_out_with_one_line(tmp_path, capsys, fails):
    loggers = StageLoggers(stage(tmp_path, {"bad": node(fails), "good": node()}), tmp_path)
    for logger in loggers.open():
        logger.log_metrics({"loss": 1.0}, 3)
    loggers.finish({"error": 2.0})
    good = Kept.opened[-1]
    assert good.metrics == [(3, {"loss": 1.0}), (None, {"final/error": 2.0})]
    assert good.ended == "success" and "parent_runs" in good.params
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"  logger bad: {fails} does not work; the stage goes on without it")


def test_a_request_to_stop_is_no_failure_of_a_logger(tmp_path):
    (logger,) = StageLoggers(stage(tmp_path, {"kept": node("interrupted")}), tmp_path).open()
    with pytest.raises(Interrupted):
        logger.log_metrics({})


@pytest.mark.parametrize("choice", ["csv", "none", "tensorboard", "wandb"])
def test_without_wandb_installed_all_work_offline(tmp_path, monkeypatch, capsys, choice):
    monkeypatch.setitem(__import__("sys").modules, "wandb", None)
    config = compose_config([f"logger={choice}"])
    loggers = StageLoggers(stage(tmp_path, config.logger), tmp_path)
    for logger in loggers.open():
        logger.log_metrics({"loss": 1.0}, 1)
    loggers.finish({"error": 2.0})
    assert not capsys.readouterr().out
    assert {path.name for path in tmp_path.iterdir()} == {choice} - {"none"}


def test_streaming_without_wandb_installed_is_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(__import__("sys").modules, "wandb", None)
    config = compose_config(["logger=wandb", "logger.wandb.offline=false"])
    loggers = StageLoggers(stage(tmp_path, config.logger), tmp_path)
    loggers.finish({"error": 2.0})
    (line,) = capsys.readouterr().out.splitlines()
    assert "wandb" in line and "logs offline, `motiongpt sync` uploads it" in line
    assert only_part(tmp_path).ended == "success"


def test_wandb_that_can_not_write_is_one_line(tmp_path, capsys):
    (tmp_path / "wandb").touch()
    loggers = StageLoggers(stage(tmp_path, compose_config(["logger=wandb"]).logger), tmp_path)
    assert not loggers.open()
    loggers.finish({"error": 2.0})
    (line,) = capsys.readouterr().out.splitlines()
    assert str(tmp_path / "wandb") in line and "goes on without it" in line


def test_a_server_that_does_not_answer_leaves_an_offline_run(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(
        "launch.loggers.wandb_logger.check_server",
        lambda url: (_ for _ in ()).throw(ConnectionError(f"{url} can't be reached")),
    )
    config = compose_config(["logger=wandb", "logger.wandb.offline=false"])
    loggers = StageLoggers(stage(tmp_path, config.logger), tmp_path)
    assert len(loggers.open()) == 1
    loggers.finish({"error": 2.0})
    (line,) = capsys.readouterr().out.splitlines()
    assert "can't be reached; logs offline, `motiongpt sync` uploads it" in line
    (row,) = only_part(tmp_path).rows
    assert row.values == {"final/error": 2.0}


def test_without_a_key_wandb_does_not_ask(tmp_path, monkeypatch, capsys):
    """A job has no terminal, but an interactive allocation does."""
    monkeypatch.setattr("launch.loggers.wandb_logger.check_server", lambda url: None)
    monkeypatch.setattr("wandb.errors.term._sys_stdin_isatty", lambda: True)
    monkeypatch.setattr("wandb.errors.term._sys_stderr_isatty", lambda: True)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setattr("builtins.input", lambda *args: pytest.fail("it asks"))
    config = compose_config(["logger=wandb", "logger.wandb.offline=false"])
    loggers = StageLoggers(stage(tmp_path, config.logger), tmp_path)
    assert len(loggers.open()) == 1
    loggers.close("success")
    assert "No API key configured" in capsys.readouterr().out


def test_a_server_that_refuses_is_there(tmp_path):
    with pytest.raises(ConnectionError, match="can't be reached .*refused"):
        check_server("http://127.0.0.1:9")


def test_the_report_of_a_sweep_needs_no_logger(tmp_path):
    for loggers in ({}, compose_config(["logger=csv"]).logger):
        config = OmegaConf.create({"data": {"name": "dance"}, "logger": loggers})
        log_sweep_report(config, tmp_path, "group", ["a"], [["1"]], ["a=2: failed"])
    assert not list(tmp_path.iterdir())


def test_the_report_of_a_sweep_in_tensorboard(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    loggers = compose_config(["logger=tensorboard"]).logger
    config = OmegaConf.create({"data": {"name": "dance"}, "logger": loggers})
    columns = ["a", "stage", "loss"]
    log_sweep_report(config, tmp_path, "g", columns, [["1", "tokens", 0.5]], ["a=2: failed"])
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    (event,) = events.Tensors("points/text_summary")
    assert event.tensor_proto.string_val[0].decode() == (
        "| a | stage | loss | missing |\n| --- | --- | --- | --- |\n"
        "| 1 | tokens | 0.5 |  |\n|  |  |  | a=2: failed |\n"
    )


def test_loggers_are_opened_once_and_only_when_asked_for(tmp_path):
    loggers = StageLoggers(stage(tmp_path, {"kept": node()}), tmp_path)
    loggers.close("failed")
    assert not Kept.opened
    loggers.open(), loggers.open()
    assert len(Kept.opened) == 1
    loggers.close("failed")
    assert Kept.opened[0].ended == "failed"
