import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from launch.cli import main
from launch.composition.compose import compose_config
from launch.composition.datasets import ensure_store
from motiongpt.data import source_files
from motiongpt.data.bandai_namco.source import BandaiNamcoSource
from motiongpt.data.bvh_folder import BvhFolderSource
from motiongpt.data.humanml3d import HumanML3DSource
from motiongpt.data.source_files import source_state
from motiongpt.data.store import MotionStore
from motiongpt.data.synthetic import SyntheticSource
from motiongpt.errors import UserError
from tests.unit.bvh_text import stick, write
from tests.unit.humanml3d_folder import WHOLE, Folder


@pytest.fixture
def bvh(tmp_path):
    for seed, name in enumerate(("walk", "run", "jump")):
        write(tmp_path / "bvh" / f"{name}.bvh", stick(20, seed=seed))
    words = "".join(f"{name},a person {name}s,train\n" for name in ("walk", "run", "jump"))
    write(tmp_path / "bvh" / "captions.csv", f"file,caption,split\n{words}")
    return tmp_path / "bvh"


def settled(folder: Path) -> None:
    """All files are an hour old, but for the time of change of status, which nobody can set."""
    for path in folder.rglob("*"):
        os.utime(path, (1e9, 1e9))


class State:
    """Looks at a folder of BVH files, and remembers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def look(self):
        found = source_state(
            BvhFolderSource(str(self.folder), "captions.csv"), self.folder / "index"
        )
        found.remember()
        return found


def edit(folder: Path) -> str:
    path = folder / "captions.csv"
    path.write_text(path.read_text().replace("walks", "halts"))  # of the same length
    return "captions.csv is edited"


def edit_behind_its_time(folder: Path) -> str:
    times = os.stat(folder / "captions.csv")
    edit(folder)
    os.utime(folder / "captions.csv", ns=(times.st_atime_ns, times.st_mtime_ns))
    return "captions.csv is edited"


def remove(folder: Path) -> str:
    (folder / "walk.bvh").unlink()
    return "walk.bvh is gone"


def replace_a_file(folder: Path) -> str:
    shutil.copy(folder / "run.bvh", folder / "walk.bvh")
    return "walk.bvh is edited"


def add(folder: Path) -> str:
    shutil.copy(folder / "run.bvh", folder / "hop.bvh")
    return "hop.bvh is new"


def break_a_link(folder: Path) -> str:
    (folder / "walk.bvh").unlink()
    (folder / "walk.bvh").symlink_to("nowhere")
    return "walk.bvh is edited"


@pytest.mark.parametrize(
    "change", [edit, edit_behind_its_time, remove, replace_a_file, add, break_a_link]
)
def test_each_change_is_noticed_once_and_taken_back(change, bvh, tmp_path):
    state = State(bvh)
    before = state.look()
    assert before.note == "" and state.look().note == ""
    shutil.copytree(bvh, tmp_path / "copy")
    said = change(bvh)
    after = state.look()
    assert f"1 files have changed since the last time ({said})" in after.note
    assert after.content != before.content and state.look().note == ""
    shutil.rmtree(bvh)
    shutil.copytree(tmp_path / "copy", bvh)
    assert state.look().content == before.content


def test_files_that_look_the_same_are_not_read_again(bvh, monkeypatch):
    monkeypatch.setattr(source_files, "SETTLED_SECONDS", -60.0)  # a minute has gone by
    state = State(bvh)
    before = state.look()
    read = []
    real = source_files._sha256
    monkeypatch.setattr(
        source_files, "_sha256", lambda path: (read.append(path.name), real(path))[1]
    )
    assert state.look().content == before.content and not read
    os.utime(bvh / "walk.bvh")
    assert state.look().content == before.content and read == ["walk.bvh"]


def test_files_changed_just_now_are_read_again(bvh, monkeypatch):
    state = State(bvh)
    state.look()
    read = []
    monkeypatch.setattr(source_files, "_sha256", lambda path: (read.append(path.name), "")[1])
    state.look()
    assert {"walk.bvh", "captions.csv"} <= set(read)


def test_an_edited_mapping_is_noticed(bvh, tmp_path):
    mapping = tmp_path / "mine.yaml"
    shipped = Path(source_files.__file__).parent / "mappings" / "bandai_namco.yaml"
    shutil.copy(shipped, mapping)
    source = BvhFolderSource(str(bvh), None, mapping=str(mapping))
    before = source_state(source, tmp_path / "index")
    before.remember()
    mapping.write_text(mapping.read_text().replace("0.01", "0.02"))
    assert "(mapping mine.yaml is edited)" in source_state(source, tmp_path / "index").note


def test_each_part_of_a_humanml3d_folder_is_looked_at(tmp_path):
    folder = Folder(tmp_path / "data")
    folder.clip("a")
    folder.clip("b", "test")
    np.save(folder.path / "Mean.npy", np.zeros(263))
    index = tmp_path / "index"
    source = HumanML3DSource(str(folder.path))
    source_state(source, index).remember()
    for name in ("train.txt", "Mean.npy", "new_joint_vecs/a.npy", "texts/b.txt"):
        with (folder.path / name).open("ab") as file:
            file.write(b"\n")
        found = source_state(source, index)
        assert f"({name} is edited)" in found.note
        found.remember()
    folder.motion("a").unlink()
    assert "(new_joint_vecs/a.npy is gone)" in source_state(source, index).note


def test_a_pipe_is_not_waited_for(bvh):
    os.mkfifo(bvh / "pipe.bvh")
    assert State(bvh).look().content


def test_sources_without_files_and_archives(tmp_path):
    assert source_state(SyntheticSource(clips=1), tmp_path / "i").content is None
    archive = tmp_path / "bandai.zip"
    archive.write_bytes(b"one")
    source = BandaiNamcoSource(str(archive))
    one = source_state(source, tmp_path / "i").content
    archive.write_bytes(b"two")
    assert source_state(source, tmp_path / "i").content != one


def of(bvh: Path, tmp_path: Path) -> list[str]:
    source = f"data.source.path={bvh}"
    return [
        "data=bvh_folder",
        source,
        "data.source.captions=captions.csv",
        f"paths.root={tmp_path}",
    ]


def test_changed_data_has_a_store_of_its_own(bvh, tmp_path, capsys):
    config = compose_config(of(bvh, tmp_path))
    folder, fingerprint = ensure_store(config)
    assert ensure_store(config) == (folder, fingerprint)
    edit(bvh)
    capsys.readouterr()
    changed, other = ensure_store(config)
    assert changed != folder and other != fingerprint and folder.exists()
    said = capsys.readouterr().out
    assert "captions.csv is edited" in said and "store of its own" in said
    store = MotionStore.open(changed)
    assert any(caption.text == "a person halts" for i in range(3) for caption in store.captions(i))
    text = (bvh / "captions.csv").read_text()
    (bvh / "captions.csv").write_text(text.replace("halts", "walks"))
    assert ensure_store(config) == (folder, fingerprint)  # and what was trained on it is reused


def test_a_store_outlives_the_files_it_was_made_of(bvh, tmp_path, capsys):
    config = compose_config(of(bvh, tmp_path))
    first = ensure_store(config)
    shutil.move(bvh, tmp_path / "archived")
    assert ensure_store(config) == first
    assert "no folder" in capsys.readouterr().out
    (bvh).mkdir()
    with pytest.raises(UserError, match=r"no \.bvh file"):
        ensure_store(config)


def test_half_a_data_set_is_said_each_time(tmp_path, capsys):
    folder = Folder(tmp_path / "data")
    for name in "abcd":
        folder.clip(name)
    for name in "cd":
        folder.motion(name).unlink()
    words = ["data=humanml3d", f"data.source.path={folder.path}", f"paths.root={tmp_path}"]
    config = compose_config([*words, "data.source.expected_counts={train: 23384, val: 0, test: 0}"])
    for _ in range(2):
        ensure_store(config)
        said = capsys.readouterr().out
        assert "humanml3d is not whole: train has 4 clips, expected 23,384; " in said
        assert "2 of 4 clips are rejected: c (listed but absent" in said
    whole = compose_config([*words, "data.source.expected_counts={train: 4, val: 0, test: 0}"])
    for name in "cd":
        folder.clip(name, text=WHOLE)
        folder.ids["train"].pop()
    folder.lists()
    ensure_store(whole)
    assert "not whole" not in capsys.readouterr().out


def test_a_name_that_is_no_utf8_is_a_bad_clip_of_its_own(bvh, tmp_path, capsys):
    try:
        shutil.copy(bvh / "walk.bvh", os.fsencode(bvh) + b"/caf\xe9.bvh")
    except OSError:
        pytest.skip("this file system takes no such name")
    assert main(["data", "prepare", *of(bvh, tmp_path)]) == 0
    assert "1 rejected: caf\\udce9 (no caption in captions.csv)" in capsys.readouterr().out
    without = [*of(bvh, tmp_path), "data.source.captions=null"]
    assert main(["data", "verify", *without, "--strict"]) == 1
    assert (
        "bad: caf\\udce9: half a letter (surrogate) U+DCE9 in its name; rename the file"
        in capsys.readouterr().out
    )
