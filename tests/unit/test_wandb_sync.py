import json
import subprocess
import sys
from pathlib import Path

import pytest

from launch.cli import main
from launch.loggers.wandb_logger import ROWS
from launch.loggers.wandb_parts import join, part_files, read_part, synced_mark
from launch.loggers.wandb_sync import find_offline_runs, sync, sync_command
from launch.runs.ledger import CONFIG, STATUS, Run
from launch.runs.owner import Owner
from motiongpt.errors import UserError
from motiongpt.files import write_json
from tests.wandb_files import STEP, records, rows, write_part


def joined(folder, tmp_path):
    parts = [read_part(file) for file in part_files(folder)]
    place = join(parts, tmp_path / "joined")
    (file,) = place.glob("*.wandb")
    return place, file


def run_folder(root, stage, signature, state="finished", parents=None):
    """A run's folder, as a launcher leaves it."""
    run = Run(root, stage, signature)
    folder = run.folder if state == "finished" else run.attempts / "0001"
    write_json(folder / STATUS, {"state": state})
    write_json(folder / CONFIG, {"parents": parents or {}})
    return folder


@pytest.fixture
def sent(monkeypatch):
    """Commands that were started instead of `wandb sync`, each answered as it would."""
    commands = []

    def answer(words, **options):
        commands.append((words, options))
        (file,) = Path(words[-1]).glob("*.wandb")
        if "bad" in file.name:
            return subprocess.CompletedProcess(words, 0, "Find logs at: x\n", "wandb: ERROR no\n")
        synced_mark(file).touch()
        return subprocess.CompletedProcess(words, 0, "Syncing: x ... done.\n", "")

    monkeypatch.setattr("launch.loggers.wandb_sync.subprocess.run", answer)
    monkeypatch.setattr("launch.commands.sync.check_server", lambda url: None)
    return commands


def test_a_resumed_run_has_each_step_once(tmp_path):
    write_part(tmp_path, "a", 1000, {9: 9, 19: 19, 29: 29, 39: 39}, ended=False, loss=1.0)
    write_part(tmp_path, "a", 2000, {29: 29, 39: 39, 49: 49}, ended=False, loss=2.0)
    write_part(tmp_path, "a", 3000, {49: 49, 59: 59, 60: None}, loss=3.0)
    place, file = joined(tmp_path, tmp_path)
    kept = rows(file)
    assert [row["_step"] for row in kept] == [9, 19, 29, 39, 49, 59, 60]
    assert [row.get(STEP) for row in kept] == [9, 19, 29, 39, 49, 59, None]
    assert [row["loss"] for row in kept] == [1, 1, 2, 2, 3, 3, 3]
    assert [row["_runtime"] for row in kept] == [19, 29, 1039, 1049, 2059, 2069, 2070]
    run = next(record.run for record in records(file) if record.HasField("run"))
    assert run.run_group == "group-3000" and run.start_time.seconds == 1000
    assert [record.HasField("exit") for record in records(file)].count(True) == 1
    assert [record.num for record in records(file)] == list(range(1, 10))
    assert {file.name for file in (place / "files").iterdir()} == {"of-1000", "of-2000", "of-3000"}


def test_steps_without_an_optimiser_are_all_kept_and_rise(tmp_path):
    write_part(tmp_path, "sweep", 1000, {0: None}, loss=1.0)
    write_part(tmp_path, "sweep", 2000, {0: None}, loss=2.0)
    kept = rows(joined(tmp_path, tmp_path)[1])
    assert [(row["_step"], row["loss"]) for row in kept] == [(0, 1), (1, 2)]


def test_a_run_that_was_broken_off_is_closed_as_failed(tmp_path):
    write_part(tmp_path, "a", 1000, {9: 9}, ended=False)
    *_, last = records(joined(tmp_path, tmp_path)[1])
    assert last.exit.exit_code == 1


def test_rows_that_wandb_had_in_memory_are_kept(tmp_path):
    file = write_part(tmp_path, "a", 1000, {9: 9}, ended=False)
    lines = [
        json.dumps({"_step": step, STEP: step, "loss": step / 10, "_timestamp": 1010 + step})
        for step in (9, 19, 29)
    ]
    (file.parent / ROWS).write_text("\n".join(lines) + '\n{"_step": 39, "lo')
    write_part(tmp_path, "a", 2000, {29: 29}, loss=5.0)
    kept = rows(joined(tmp_path, tmp_path)[1])
    assert [(row["_step"], row["loss"]) for row in kept] == [(9, 1), (19, 1.9), (29, 5)]


def test_rows_of_a_part_that_wandb_had_not_begun_to_write_are_kept(tmp_path):
    file = write_part(tmp_path, "a", 1000, {}, ended=False)
    row = {"_step": 9, STEP: 9, "loss": 1.0, "_timestamp": 1010, "_runtime": 10}
    (file.parent / ROWS).write_text(json.dumps(row) + "\n")
    file.write_bytes(b"")
    write_part(tmp_path, "a", 2000, {19: 19}, loss=5.0)
    kept = rows(joined(tmp_path, tmp_path)[1])
    assert [(row["_step"], row["loss"]) for row in kept] == [(9, 1), (19, 5)]


def test_a_part_without_a_header_waits_for_one_that_has_it(tmp_path, sent):
    file = write_part(run_folder(tmp_path, "tokenizer", "1" * 16), "a", 1000, {}, ended=False)
    (file.parent / ROWS).write_text(
        json.dumps({"_step": 9, STEP: 9, "_timestamp": 1010, "_runtime": 10}) + "\n"
    )
    file.write_bytes(b"")
    assert not find_offline_runs(tmp_path).runs


def test_a_file_that_ends_in_the_middle_of_a_record_counts_up_to_there(tmp_path):
    file = write_part(tmp_path, "a", 1000, {9: 9, 19: 19}, ended=False)
    file.write_bytes(file.read_bytes()[:-3])
    assert [row[STEP] for row in rows(joined(tmp_path, tmp_path)[1])] == [9]
    file.write_bytes(b"")
    assert read_part(file) is None


def test_a_damaged_file_is_named(tmp_path):
    file = write_part(tmp_path, "a", 1000, {step: step for step in range(1000)})
    content = bytearray(file.read_bytes())
    content[200:210] = b"0123456789"
    file.write_bytes(bytes(content))
    with pytest.raises(UserError, match=f"{file}: damaged .*delete it"):
        read_part(file)


def test_runs_are_found_in_order_of_time_parents_first(tmp_path):
    root = tmp_path
    child = run_folder(root, "tokens", "2" * 16, parents={"tokenizer": "1" * 16})
    write_part(child, f"tokens-{'2' * 16}", 1000, {0: None})  # its node's clock is wrong
    parent = run_folder(root, "tokenizer", "1" * 16)
    write_part(parent, f"tokenizer-{'1' * 16}", 3000, {9: 9})
    killed = run_folder(root, "pretrain", "3" * 16, state="interrupted")
    write_part(killed, f"pretrain-{'3' * 16}", 2000, {9: 9}, ended=False)
    write_part(root / "sweeps" / "s-1", "sweep-s-1", 4000, {0: None})
    live = run_folder(root, "classifier", "4" * 16, state="running")
    Owner.this_process().write(live)
    write_part(live, f"classifier-{'4' * 16}", 500, {9: 9}, ended=False)
    streamed = run_folder(root, "evaluator", "5" * 16)
    write_part(streamed, f"evaluator-{'5' * 16}", 600, {9: 9}, mode="run")
    before = run_folder(root, "instruct", "6" * 16)
    synced_mark(write_part(before, f"instruct-{'6' * 16}", 700, {9: 9})).touch()
    found = find_offline_runs(root)
    assert [run.run_id.partition("-")[0] for run in found.runs] == [
        "tokenizer",
        "tokens",
        "pretrain",
        "sweep",
    ]
    assert found.running == [f"classifier-{'4' * 16}"] and found.synced == 1


def test_a_whole_run_is_sent_as_it_lies_and_a_resumed_one_joined(tmp_path, sent, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_API_KEY", "kept")
    whole = write_part(run_folder(tmp_path, "tokens", "1" * 16), "whole", 1000, {0: None})
    folder = run_folder(tmp_path, "tokenizer", "2" * 16)
    parts = [
        write_part(folder, "resumed", 2000, {9: 9}, ended=False),
        write_part(folder, "resumed", 3000, {19: 19}),
    ]
    assert [sync(run, 5.0) for run in find_offline_runs(tmp_path).runs] == ["", ""]
    (first, options), (second, _) = sent
    assert first == sync_command(whole.parent)
    assert not Path(second[-1]).is_relative_to(tmp_path)
    assert options["timeout"] == 5.0 and options["stdin"] == subprocess.DEVNULL
    assert options["env"]["WANDB_API_KEY"] == "kept" and "WANDB_MODE" not in options["env"]
    assert all(synced_mark(file).exists() for file in [whole, *parts])


def test_a_run_that_goes_on_after_a_sync_is_sent_again_whole(tmp_path, sent):
    folder = run_folder(tmp_path, "tokenizer", "2" * 16)
    synced_mark(write_part(folder, "a", 1000, {9: 9}, ended=False)).touch()
    write_part(folder, "a", 2000, {19: 19})
    (run,) = find_offline_runs(tmp_path).runs
    assert len(run.parts) == 2 and str(run) == "a (resumed 1 times)"


def test_a_run_that_was_written_to_after_a_sync_is_sent_again(tmp_path, sent):
    file = write_part(run_folder(tmp_path, "tokenizer", "2" * 16), "a", 1000, {9: 9}, ended=False)
    (run,) = find_offline_runs(tmp_path).runs
    assert sync(run, 5.0) == "" and not find_offline_runs(tmp_path).runs
    file.touch()  # its process was only taken for dead
    assert len(find_offline_runs(tmp_path).runs) == 1


def test_a_part_that_was_streamed_is_sent_with_the_offline_one(tmp_path, sent):
    folder = run_folder(tmp_path, "tokenizer", "2" * 16)
    streamed = write_part(folder, "a", 1000, {9: 9}, mode="run")
    write_part(folder, "a", 2000, {19: 19})
    (run,) = find_offline_runs(tmp_path).runs
    assert len(run.parts) == 2 and sync(run, 5.0) == ""
    assert not synced_mark(streamed).exists()


def test_one_that_fails_does_not_stop_the_others(tmp_path, sent, capsys):
    for number, name in enumerate(("bad", "good")):
        folder = run_folder(tmp_path, "tokenizer", str(number) * 16)
        write_part(folder, name, 1000 + number, {9: 9})
    damaged = write_part(run_folder(tmp_path, "tokens", "9" * 16), "cut", 1, {0: None})
    damaged.write_bytes(b"no file of W&B" * 9)
    assert main(["sync", f"paths.root={tmp_path}"]) == 1
    out, error = capsys.readouterr()
    assert out == "synced good\n1 synced, 0 synced before, 2 failed\n"
    assert f"failed {damaged}: damaged" in error and "failed bad: wandb: ERROR no" in error
    assert main(["sync", f"paths.root={tmp_path}"]) == 1
    assert capsys.readouterr().out == "0 synced, 1 synced before, 2 failed\n"


def test_a_full_disk_does_not_stop_the_others(tmp_path, sent, capsys, monkeypatch):
    def full(parts, folder):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("launch.loggers.wandb_sync.join", full)
    for number, ended in enumerate((False, True)):
        folder = run_folder(tmp_path, "tokenizer", str(number) * 16)
        write_part(folder, f"run{number}", 1000 + number, {9: 9}, ended=ended)
    assert main(["sync", f"paths.root={tmp_path}"]) == 1
    out, error = capsys.readouterr()
    assert "failed run0: [Errno 28] No space left" in error and "synced run1\n1 synced" in out


def test_a_dry_run_sends_nothing(tmp_path, sent, capsys):
    write_part(run_folder(tmp_path, "tokenizer", "1" * 16), "a", 1000, {9: 9})
    assert main(["sync", f"paths.root={tmp_path}", "--dry-run"]) == 0
    assert capsys.readouterr().out == "would sync a\n1 to sync, 0 synced before\n"
    assert not sent
    assert main(["sync", f"paths.root={tmp_path}"]) == 0 and len(sent) == 1


def test_a_server_that_does_not_answer_is_given_up(tmp_path, monkeypatch):
    write_part(run_folder(tmp_path, "tokenizer", "1" * 16), "a", 1000, {9: 9})
    (run,) = find_offline_runs(tmp_path).runs
    monkeypatch.setattr(
        "launch.loggers.wandb_sync.sync_command",
        lambda folder: [sys.executable, "-c", "import time; time.sleep(60)"],
    )
    assert "not done after 0.5 s" in sync(run, 0.5)
    assert not synced_mark(run.parts[0].file).exists()


def test_nothing_is_sent_to_a_server_that_is_not_there(tmp_path, monkeypatch, capsys):
    write_part(run_folder(tmp_path, "tokenizer", "1" * 16), "a", 1000, {9: 9})

    def refuse(url):
        raise ConnectionError(f"{url} can't be reached (refused)")

    monkeypatch.setattr("launch.commands.sync.check_server", refuse)
    assert main(["sync", f"paths.root={tmp_path}"]) == 2
    assert "nothing was sent: http" in capsys.readouterr().err


def test_nothing_to_send_needs_no_server(tmp_path, capsys):
    assert main(["sync", f"paths.root={tmp_path}"]) == 0
    assert capsys.readouterr().out == "0 synced, 0 synced before\n"


def test_the_installed_wandb_takes_the_command(tmp_path):
    words = sync_command(tmp_path)
    shown = subprocess.run([*words[:-1], "--help"], capture_output=True, text=True, cwd=tmp_path)
    assert shown.returncode == 0
    assert "[PATH]..." in shown.stdout or "[PATHS]..." in shown.stdout
    options = [word for word in words if word.startswith("--")]
    assert all(option in shown.stdout for option in options)
    absent = subprocess.run(
        sync_command(tmp_path / "absent"), capture_output=True, text=True, cwd=tmp_path
    )
    assert absent.returncode == 2 and "does not exist" in absent.stderr  # it was parsed as a path
