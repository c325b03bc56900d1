"""The GPU's benchmark, dry on a CPU: what it measures, judges, and what it leaves."""

import json
import signal

import pytest
import torch

from motiongpt.errors import UserError
from tests.benchmarks.gpu import __main__ as command
from tests.benchmarks.gpu.differences import gradient_distance, relative
from tests.benchmarks.gpu.number import Number, at_most, ratio, told
from tests.benchmarks.gpu.parts import NAMES, measure_of, title_of
from tests.benchmarks.gpu.parts.generation import decoder_weights
from tests.benchmarks.gpu.report import PartResult
from tests.benchmarks.speed.language import random_model
from tests.benchmarks.speed.part import Settings

TINY = Settings(size="tiny", threads=1)
DRY = ["--device", "cpu", "--size", "tiny", "--threads", "1"]
NAN = float("nan")


@pytest.fixture(autouse=True)
def signals():
    """The command takes a time limit for Ctrl-C; what was set before is set again."""
    usual = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, usual)


@pytest.mark.parametrize(
    ("number", "passed"),
    [
        (at_most("a", 0.1, 0.1), True),
        (at_most("a", 0.2, 0.1), False),
        (at_most("a", NAN, 0.1), False),
        (ratio("a", 0.6, 0.5, Settings(size="base", device="cuda")), True),
        (ratio("a", 0.4, 0.5, Settings(size="base", device="cuda")), False),
        (ratio("a", NAN, 0.5, Settings(size="base", device="cuda")), False),
        (ratio("a", 0.4, 0.5, Settings(size="base", device="cpu")), None),
        (ratio("a", 0.4, 0.5, Settings(size="tiny", device="cuda")), None),
        (told("a", 0.4, "s"), None),
    ],
)
def test_a_limit_is_judged_where_it_was_asked_for(number, passed):
    assert number.passed is passed


def test_other_gradients_are_noticed():
    expected = {"a": torch.tensor([3.0, 0.0]), "b": torch.tensor([4.0])}
    assert gradient_distance(expected, expected) == 0
    other = {**expected, "b": torch.tensor([4.5])}
    assert gradient_distance(other, expected) == pytest.approx(0.1)
    with pytest.raises(ValueError, match="other weights"):
        gradient_distance({"a": expected["a"]}, expected)
    assert relative(1.1, 1.0) == pytest.approx(0.1) and relative(NAN, 1.0) != 0


def test_weights_that_a_step_reads_are_counted():
    model, _ = random_model(TINY)
    attention, feed, norms = (4 + 2) * 32 * 32, 3 * 32 * 64, 3 * 32
    assert decoder_weights(model, 19) == 2 * (attention + feed + norms) + 19 * 32


@pytest.mark.parametrize("name", ["parity", "precision", "coding", "generation"])
def test_a_part_keeps_its_limits_on_a_cpu(name):
    found = list(measure_of(name)(TINY))
    assert all(one.passed is not False for one in found) and title_of(name)
    assert any(one.passed for one in found) or any(one.limit for one in found)


def measured(monkeypatch, tmp_path, numbers, words=()):
    """Run the command with parts that find `numbers` by name; an exception is their problem."""

    def fake(result, settings, folder, seconds):
        found = numbers[result.name]
        if isinstance(found, str):
            result.problem = found
        else:
            result.numbers = found

    monkeypatch.setattr(command, "run_part", fake)
    status = command.main([*numbers, *DRY, *words, "--out", str(tmp_path)])
    kept = json.loads((tmp_path / "results.json").read_text())
    return status, kept, (tmp_path / "table.md").read_text()


def test_what_fails_hides_nothing_and_fails_the_command(monkeypatch, tmp_path):
    numbers = {
        "parity": [at_most("codes", 0.5, 0.1), told("rate", 12.0, "clips/s")],
        "coding": "status 1: KeyError",
        "training": [Number("share", 0.7, limit=0.5, at_least=True)],
    }
    status, kept, table = measured(monkeypatch, tmp_path, numbers)
    assert status == 1
    assert [part["passed"] for part in kept["parts"]] == [False, False, True]
    assert kept["parts"][0]["numbers"][0]["passed"] is False and "cpu" in kept["machine"]
    assert "| parity | codes | 0.5 | ≤ 0.1 | **failed** |" in table
    assert "| parity | rate | 12 clips/s |  |  |" in table
    assert "| coding | status 1: KeyError | | | **failed** |" in table
    assert "| training | share | 0.7 | ≥ 0.5 | kept |" in table


def test_an_interruption_keeps_what_was_measured(monkeypatch, tmp_path):
    def stopped(result, settings, folder, seconds):
        if result.name == "coding":
            raise KeyboardInterrupt
        result.numbers = [told("rate", 1.0, "")]

    monkeypatch.setattr(command, "run_part", stopped)
    words = ["parity", "coding", "training", *DRY, "--out", str(tmp_path)]
    assert command.main(words) == 130
    kept = json.loads((tmp_path / "results.json").read_text())["parts"]
    assert [(one["name"], one["problem"]) for one in kept] == [
        ("parity", ""),
        ("coding", "interrupted"),
    ]


def test_all_kept_is_status_nought(monkeypatch, tmp_path):
    status, _, table = measured(monkeypatch, tmp_path, {"parity": [told("rate", 1.0, "")]})
    assert status == 0 and table.endswith(f"--threads 1 --out {tmp_path}`\n")


def test_a_part_that_breaks_or_lasts_is_ended_and_said(tmp_path):
    broken = PartResult("parity", "")
    command.run_part(broken, Settings(size="enormous", threads=1), tmp_path, 300)
    assert "KeyError: 'enormous'" in broken.problem and not broken.passed
    late = PartResult("parity", "")
    command.run_part(late, TINY, tmp_path, 0.1)
    assert "ended after 0 s" in late.problem and late.numbers == []
    never = PartResult("parity", "")
    command.run_part(never, TINY, tmp_path, -1.0)
    assert "no time was left" in never.problem


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["trainig", *DRY], "no part 'trainig'; choose some of: parity, .*"),
        (["--device", "cuda"], "use --device cpu"),
        (["--device", "cpu", "--threads", "0"], "more than 0"),
        (["--device", "cpu", "--minutes", "nan"], "more than 0"),
    ],
)
def test_bad_input_is_refused(words, said, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(UserError, match=said):
        command.main(words)


@pytest.mark.long
@pytest.mark.slow
def test_the_dry_form_passes(tmp_path):
    assert command.main([*DRY, "--minutes", "15", "--out", str(tmp_path)]) == 0
    kept = json.loads((tmp_path / "results.json").read_text())
    assert [part["name"] for part in kept["parts"]] == list(NAMES)
    assert all(part["numbers"] for part in kept["parts"])
    judged = [one for part in kept["parts"] for one in part["numbers"] if one["at_least"]]
    assert len(judged) == 3 and all(one["passed"] is None for one in judged)
