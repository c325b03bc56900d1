"""`motiongpt sync`: which runs are sent, in which order, and what is said of those that aren't."""

import subprocess
import sys
from pathlib import Path

import pytest

from launch.cli import main
from launch.loggers.wandb_rows import mark_sent, read_part
from launch.runs.ledger import CONFIG, STATUS, Run
from launch.runs.owner import Owner
from launch.sweeps.wandb_runs import find_unsent_runs, send
from motiongpt.files import write_json
from tests.wandb_parts import write_part


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    for name in ("WANDB_MODE", "WANDB_DISABLED"):
        monkeypatch.delenv(name, raising=False)


def run_folder(root, stage, signature, state="finished", parents=None):
    """A run's folder, as a launcher leaves it."""
    run = Run(root, stage, signature)
    folder = run.folder if state == "finished" else run.attempts / "0001"
    write_json(folder / STATUS, {"state": state})
    write_json(folder / CONFIG, {"parents": parents or {}})
    return folder


def sent_part(*words, **options):
    file = write_part(*words, **options)
    mark_sent(file, file.stat().st_size)
    return file


@pytest.fixture
def sent(monkeypatch):
    """Files of the runs that were sent, by a process that does not talk to any server."""
    commands = []

    def answer(words, **options):
        files = [Path(word) for word in words if word.endswith(".jsonl")]
        commands.append((files, options))
        if "bad" in read_part(files[0]).run_id:
            return subprocess.CompletedProcess(words, 1, "", "noise\n401: who are you?\n\n")
        return subprocess.CompletedProcess(words, 0, "", "")

    monkeypatch.setattr("launch.sweeps.wandb_runs.subprocess.run", answer)
    monkeypatch.setattr("launch.commands.sync.check_server", lambda url: None)
    return commands


def test_runs_are_found_in_order_of_time_parents_first(tmp_path):
    root = tmp_path
    child = run_folder(root, "tokens", "2" * 16, parents={"tokenizer": "1" * 16})
    write_part(child, f"tokens-{'2' * 16}", 1000, [None])  # its node's clock is wrong
    parent = run_folder(root, "tokenizer", "1" * 16)
    write_part(parent, f"tokenizer-{'1' * 16}", 3000, [9])
    killed = run_folder(root, "pretrain", "3" * 16, state="interrupted")
    write_part(killed, f"pretrain-{'3' * 16}", 2000, [9], ended=False)
    write_part(root / "sweeps" / "s-1", "sweep-s-1", 4000, [None])
    live = run_folder(root, "classifier", "4" * 16, state="running")
    Owner.this_process().write(live)
    write_part(live, f"classifier-{'4' * 16}", 500, [9], ended=False)
    before = run_folder(root, "instruct", "6" * 16)
    sent_part(before, f"instruct-{'6' * 16}", 700, [9])
    found = find_unsent_runs(root)
    assert [run.run_id.partition("-")[0] for run in found.runs] == [
        "tokenizer",
        "tokens",
        "pretrain",
        "sweep",
    ]
    assert found.running == [f"classifier-{'4' * 16}"] and found.synced == 1


def test_a_run_is_sent_with_all_its_parts_oldest_first(tmp_path, sent):
    folder = run_folder(tmp_path, "tokenizer", "2" * 16)
    parts = [
        write_part(folder, "resumed", 2000, [9], ended=False),
        write_part(folder, "resumed", 3000, [19]),
    ]
    (run,) = find_unsent_runs(tmp_path).runs
    assert str(run) == "resumed (resumed 1 times)" and send(run, 5.0) == ""
    ((files, options),) = sent
    assert files == parts
    assert options["timeout"] == 5.0 and options["stdin"] == subprocess.DEVNULL
    assert not find_unsent_runs(tmp_path).runs


def test_a_run_that_goes_on_after_a_sync_is_sent_again_whole(tmp_path, sent):
    folder = run_folder(tmp_path, "tokenizer", "2" * 16)
    sent_part(folder, "a", 1000, [9], ended=False)
    write_part(folder, "a", 2000, [19])
    (run,) = find_unsent_runs(tmp_path).runs
    assert len(run.parts) == 2


def test_a_run_that_was_written_to_after_a_sync_is_sent_again(tmp_path, sent):
    file = write_part(run_folder(tmp_path, "tokenizer", "2" * 16), "a", 1000, [9], ended=False)
    (run,) = find_unsent_runs(tmp_path).runs
    assert send(run, 5.0) == "" and not find_unsent_runs(tmp_path).runs
    with file.open("a") as stream:  # its process was only taken for dead
        stream.write('{"end": "failed"}\n')
    assert len(find_unsent_runs(tmp_path).runs) == 1


def test_one_that_fails_does_not_stop_the_others(tmp_path, sent, capsys):
    for number, name in enumerate(("bad", "good")):
        folder = run_folder(tmp_path, "tokenizer", str(number) * 16)
        write_part(folder, name, 1000 + number, [9])
    damaged = write_part(run_folder(tmp_path, "tokens", "9" * 16), "cut", 1, [None])
    damaged.write_bytes(b"no line of ours\n" * 9)
    broken = run_folder(tmp_path, "tokens", "8" * 16)
    write_part(broken, "lost", 1, [None])
    (broken / CONFIG).write_text("{")
    assert main(["sync", f"paths.root={tmp_path}"]) == 1
    out, error = capsys.readouterr()
    assert out == "synced good\n1 synced, 0 synced before, 3 failed\n"
    assert f"failed {damaged}, line 1: damaged" in error
    assert "failed bad: 401: who are you?" in error and str(broken / CONFIG) in error
    assert main(["sync", f"paths.root={tmp_path}"]) == 1
    assert capsys.readouterr().out == "0 synced, 1 synced before, 3 failed\n"


def test_a_dry_run_sends_nothing(tmp_path, sent, capsys):
    write_part(run_folder(tmp_path, "tokenizer", "1" * 16), "a", 1000, [9])
    assert main(["sync", f"paths.root={tmp_path}", "--dry-run"]) == 0
    assert capsys.readouterr().out == "would sync a\n1 to sync, 0 synced before\n"
    assert not sent
    assert main(["sync", f"paths.root={tmp_path}"]) == 0 and len(sent) == 1


def test_a_server_that_does_not_answer_is_given_up(tmp_path, monkeypatch):
    file = write_part(run_folder(tmp_path, "tokenizer", "1" * 16), "a", 1000, [9])
    (run,) = find_unsent_runs(tmp_path).runs
    monkeypatch.setattr(
        "launch.sweeps.wandb_runs.REPLAY",
        [sys.executable, "-c", "import time; time.sleep(60)"],
    )
    assert "not done after 0.5 s" in send(run, 0.5)
    assert not read_part(file).is_sent


def test_nothing_is_sent_to_a_server_that_is_not_there(tmp_path, monkeypatch, capsys):
    write_part(run_folder(tmp_path, "tokenizer", "1" * 16), "a", 1000, [9])

    def refuse(url):
        raise ConnectionError(f"{url} can't be reached (refused)")

    monkeypatch.setattr("launch.commands.sync.check_server", refuse)
    assert main(["sync", f"paths.root={tmp_path}"]) == 2
    assert "nothing was sent: http" in capsys.readouterr().err


@pytest.mark.parametrize("variable", ["WANDB_MODE=disabled", "WANDB_DISABLED=true"])
def test_switched_off_nothing_is_sent(tmp_path, sent, capsys, monkeypatch, variable):
    write_part(run_folder(tmp_path, "tokenizer", "1" * 16), "a", 1000, [9])
    monkeypatch.setenv(*variable.split("="))
    assert main(["sync", f"paths.root={tmp_path}"]) == 2
    assert "nothing was sent: WANDB_MODE" in capsys.readouterr().err and not sent


def test_offline_by_habit_is_no_obstacle(tmp_path, sent, monkeypatch):
    write_part(run_folder(tmp_path, "tokenizer", "1" * 16), "a", 1000, [9])
    monkeypatch.setenv("WANDB_MODE", "offline")
    assert main(["sync", f"paths.root={tmp_path}"]) == 0 and len(sent) == 1


def test_nothing_to_send_needs_no_server(tmp_path, capsys):
    assert main(["sync", f"paths.root={tmp_path}"]) == 0
    assert capsys.readouterr().out == "0 synced, 0 synced before\n"


@pytest.mark.parametrize(
    "override",
    [
        "+logger.wandb.settings.api_key=SECRET",
        "+logger.wandb.settings={deep: [{WANDB_API_KEY: SECRET}]}",
        "+logger.csv.token=SECRET",
    ],
)
def test_a_key_in_the_configuration_is_refused_before_anything_is_written(
    tmp_path, capsys, override
):
    root = tmp_path / "root"
    assert main(["run", "debug=tiny", "goal=tokenizer", override, f"paths.root={root}"]) == 2
    error = capsys.readouterr().err
    assert "an access key in the configuration" in error and "SECRET" not in error
    assert not [
        file for file in root.rglob("*") if file.is_file() and b"SECRET" in file.read_bytes()
    ]
