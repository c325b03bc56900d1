"""Rows of W&B runs: what a stage writes, and the one run that its attempts make together."""

import json

import pytest

from launch.loggers.wandb_logger import WandbStageLogger
from launch.loggers.wandb_mode import wandb_mode
from launch.loggers.wandb_rows import joined_rows, part_files, read_part
from motiongpt.errors import UserError
from tests.wandb_parts import STEP, only_part, parts, write_part


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    for name in ("WANDB_MODE", "WANDB_DISABLED"):
        monkeypatch.delenv(name, raising=False)


def joined(folder):
    rows = joined_rows(parts(folder))
    return {step: {**row, "_timestamp": round(row["_timestamp"])} for step, row in rows.items()}


def opened(folder, offline=True):
    return WandbStageLogger(offline, str(folder), id="a", name="n", tags=["x"], resume="allow")


def test_what_is_logged_can_be_read_back(tmp_path):
    logger = opened(tmp_path)
    logger.log_hyperparams({"seed": 1, "deep": {"k": [1, 2]}})
    logger.log_metrics({"train": 0.5}, 9)
    logger.log_metrics({"val": float("nan")}, 9)
    logger.log_metrics({"final/val": 0.25})
    logger.log_table("points", ["a", "b"], [["1", None]])
    logger.end("success")
    part = only_part(tmp_path)
    assert part.run == {"id": "a", "name": "n", "tags": ["x"], "resume": "allow", "settings": {}}
    assert part.config == {"seed": 1, "deep": {"k": [1, 2]}} and part.ended == "success"
    first, second, third = joined_rows([part]).values()
    assert first["train"] == 0.5 and first["val"] != first["val"] and first[STEP] == 9
    assert second["final/val"] == 0.25 and STEP not in second
    assert third["points"] == {"_type": "table", "columns": ["a", "b"], "data": [["1", None]]}
    assert list(joined_rows([part])) == [9, 10, 11]


def test_each_row_is_there_when_it_was_logged(tmp_path):
    logger = opened(tmp_path)
    logger.log_metrics({"train": 0.5}, 9)
    assert only_part(tmp_path).rows[0].values == {"train": 0.5, STEP: 9}
    assert only_part(tmp_path).ended is None
    logger.end("failed")


def test_a_resumed_run_has_each_step_once(tmp_path):
    write_part(tmp_path, "a", 1000, [9, 19, 29, 39], ended=False, loss=1.0)
    write_part(tmp_path, "a", 2000, [29, 39, 49], ended=False, loss=2.0)
    write_part(tmp_path, "a", 3000, [49, 59, None], loss=3.0)
    kept = joined(tmp_path)
    assert list(kept) == [9, 19, 29, 39, 49, 59, 60]
    assert [row.get(STEP) for row in kept.values()] == [9, 19, 29, 39, 49, 59, None]
    assert [row["loss"] for row in kept.values()] == [1, 1, 2, 2, 3, 3, 3]
    assert [row["_timestamp"] for row in kept.values()] == [
        *(1010, 1011, 2010, 2011, 3010, 3011, 3012)
    ]


def test_an_attempt_that_fell_back_further_counts_from_there(tmp_path):
    write_part(tmp_path, "a", 1000, [9, 19, 29], ended=False, loss=1.0)
    write_part(tmp_path, "a", 2000, [29, 39], ended=False, loss=2.0)
    write_part(tmp_path, "a", 3000, [19, 29], loss=3.0)
    assert [row["loss"] for row in joined(tmp_path).values()] == [1, 3, 3]


def test_steps_without_an_optimiser_are_all_kept_and_rise(tmp_path):
    write_part(tmp_path, "sweep", 1000, [None], loss=1.0)
    write_part(tmp_path, "sweep", 2000, [None], loss=2.0)
    assert [(step, row["loss"]) for step, row in joined(tmp_path).items()] == [(0, 1), (1, 2)]


def test_a_second_training_of_one_process_loses_no_row(tmp_path):
    write_part(tmp_path, "a", 1000, [9, 19, 9, 19])
    assert list(joined(tmp_path)) == [9, 19, 20, 21]


def test_a_line_that_was_broken_off_counts_up_to_there(tmp_path):
    file = write_part(tmp_path, "a", 1000, [9, 19], ended=False)
    file.write_bytes(file.read_bytes()[:-3])
    assert list(joined(tmp_path)) == [9]
    file.write_bytes(file.read_bytes()[:10])
    assert read_part(file) is None


@pytest.mark.parametrize(
    "line",
    [
        b"no json",
        b"[1, 2]",
        b"3",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"row": {"loss": 1.0}}',
        b'{"row": 3, "step": 1, "time": 2.0}',
        b'{"row": {}, "step": 1, "time": "noon"}',
        b'{"config": 5}',
    ],
)
def test_a_damaged_line_is_named(tmp_path, line):
    file = write_part(tmp_path, "a", 1000, [9])
    first, *others = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(first + line + b"\n" + b"".join(others))
    with pytest.raises(UserError, match=r"jsonl, line 2: damaged .*delete the file") as error:
        read_part(file)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("line", [{"run": {}, "time": 1}, {"run": 5, "time": 1}, {"config": {}}])
def test_a_file_must_say_which_run_it_is_of(tmp_path, line):
    file = write_part(tmp_path, "a", 1000, [])
    file.write_text(json.dumps(line) + "\n")
    with pytest.raises(UserError, match="line 1: damaged"):
        read_part(file)


@pytest.mark.parametrize(
    ("variables", "offline", "mode"),
    [
        ({}, True, "offline"),
        ({}, False, "online"),
        ({"WANDB_MODE": ""}, False, "online"),
        ({"WANDB_MODE": "online"}, True, "online"),
        ({"WANDB_MODE": "run"}, True, "online"),
        ({"WANDB_MODE": "offline"}, False, "offline"),
        ({"WANDB_MODE": "dryrun"}, False, "offline"),
        ({"WANDB_MODE": "disabled"}, True, "disabled"),
        ({"WANDB_MODE": "Disabled"}, False, "disabled"),
        ({"WANDB_DISABLED": "true"}, False, "disabled"),
        ({"WANDB_DISABLED": "1", "WANDB_MODE": "online"}, True, "disabled"),
        ({"WANDB_DISABLED": "false"}, True, "offline"),
    ],
)
def test_wandbs_variables_say_how_to_log(monkeypatch, variables, offline, mode):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert wandb_mode("offline" if offline else "online") == mode


def test_a_mode_that_there_is_not_is_named(monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "ofline")
    with pytest.raises(UserError, match="WANDB_MODE=ofline: no such mode; valid: online"):
        wandb_mode("offline")


@pytest.mark.parametrize("offline", [True, False])
def test_switched_off_nothing_is_written(tmp_path, monkeypatch, offline):
    monkeypatch.setenv("WANDB_MODE", "disabled")
    logger = opened(tmp_path, offline)
    logger.log_hyperparams({"a": 1})
    logger.log_metrics({"train": 0.5}, 9)
    logger.log_table("points", ["a"], [["1"]])
    logger.end("success")
    assert not list(tmp_path.iterdir())


def test_streaming_can_be_switched_to_offline(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "dryrun")
    monkeypatch.setattr("launch.loggers.wandb_logger.open_run", lambda *a: pytest.fail("streams"))
    opened(tmp_path, offline=False).end("success")
    assert len(part_files(tmp_path)) == 1
