import json

import numpy as np
import pytest

from motiongpt.files import replacing, save_array, save_with, write_json


def test_interrupted_write_keeps_the_old_file(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"old": 1})
    with pytest.raises(KeyboardInterrupt), replacing(path) as stream:
        stream.write(b"half")
        raise KeyboardInterrupt
    assert json.loads(path.read_text()) == {"old": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["a.json"]


def test_full_disk_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.npy"
    save_array(path, np.arange(3))

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("motiongpt.files.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save_array(path, np.arange(4))
    assert np.array_equal(np.load(path), np.arange(3))
    assert len(list(tmp_path.iterdir())) == 1


def test_nan_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError):
        write_json(tmp_path / "a.json", {"x": float("nan")})
    assert not list(tmp_path.iterdir())


def test_save_with_renames_only_on_success(tmp_path):
    save_with(tmp_path / "a.txt", lambda path: path.write_text("x"), suffix=".txt")
    assert (tmp_path / "a.txt").read_text() == "x"

    def broken(path):
        path.write_text("half")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        save_with(tmp_path / "a.txt", broken)
    assert (tmp_path / "a.txt").read_text() == "x"
    assert len(list(tmp_path.iterdir())) == 1
