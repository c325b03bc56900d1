"""The package's small model: what is said while it was not made, and how its weights are halved."""

import pytest
import torch
from safetensors.torch import load_file, save_file

from launch.small_model import halve
from motiongpt.api import opening
from motiongpt.errors import UserError


def test_where_it_was_not_made_it_says_how(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(opening, "SMALL_FOLDER", tmp_path / "none")
    for open_it in (
        lambda: opening.open_model("small", "cpu"),
        lambda: opening.trained_folder("small", "codec", ("tokenizer",)),
    ):
        with pytest.raises(UserError, match="was not made yet: run `motiongpt run experiment"):
            open_it()


def test_a_folder_of_that_name_comes_first(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small").mkdir()
    with pytest.raises(UserError, match="small: nothing to open"):
        opening.open_model("small", "cpu")


def test_weights_are_halved_and_statistics_are_not(tmp_path):
    part = tmp_path / "codec"
    part.mkdir()
    numbers = {"a.weight": torch.randn(3), "mean": torch.randn(2), "codes": torch.arange(3)}
    save_file(numbers, part / "model.safetensors")
    halve(tmp_path)
    found = load_file(part / "model.safetensors")
    assert found["a.weight"].dtype == torch.float16 and found["mean"].dtype == torch.float32
    assert torch.equal(found["a.weight"], numbers["a.weight"].half())
    assert torch.equal(found["codes"], numbers["codes"])


def test_what_float16_cannot_hold_is_refused(tmp_path):
    (tmp_path / "codec").mkdir()
    save_file({"a": torch.tensor([1e6])}, tmp_path / "codec" / "model.safetensors")
    with pytest.raises(UserError, match="a holds numbers beyond float16"):
        halve(tmp_path)
