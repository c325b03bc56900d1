import os
import socket

import pytest

from motiongpt.data.replace_folder import replacing_folder


def test_folder_appears_complete(tmp_path):
    with replacing_folder(tmp_path / "a" / "f") as building:
        (building / "x").write_text("1")
        assert not (tmp_path / "a" / "f").exists()
    assert (tmp_path / "a" / "f" / "x").read_text() == "1"


def test_old_content_goes_with_the_old_folder(tmp_path):
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "old").write_text("1")
    with replacing_folder(tmp_path / "f") as building:
        (building / "new").write_text("2")
    assert [path.name for path in (tmp_path / "f").iterdir()] == ["new"]
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_failure_keeps_the_old_folder(tmp_path):
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "old").write_text("1")
    with pytest.raises(OSError, match="full"), replacing_folder(tmp_path / "f") as building:
        (building / "new").write_text("2")
        raise OSError("disk full")
    assert [path.name for path in (tmp_path / "f").iterdir()] == ["old"]
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def dead_process() -> int:
    child = os.fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)
    return child


def test_folder_moved_away_by_a_process_that_died_is_put_back(tmp_path):
    left = tmp_path / f".f.building-{socket.gethostname()}-{dead_process()}.old"
    left.mkdir()
    (left / "old").write_text("1")
    with pytest.raises(KeyboardInterrupt), replacing_folder(tmp_path / "f"):
        raise KeyboardInterrupt
    assert (tmp_path / "f" / "old").read_text() == "1"


def test_folder_of_a_process_that_still_runs_is_left_alone(tmp_path):
    theirs = tmp_path / f".f.building-{socket.gethostname()}-{os.getppid()}"
    theirs.mkdir()
    with replacing_folder(tmp_path / "f"):
        pass
    assert theirs.exists()
