"""Arrays of strangers: in a file of prompts, a data set, a folder of statistics and a store."""

import os

import numpy as np
import pytest

from motiongpt.api.motion_file import read_motion
from motiongpt.errors import UserError
from tests.unit.hostile.arrays import GOOD, NPY, NPZ, SOUND, claims, trapped
from tests.unit.hostile.harness import (
    ODD_FILES,
    bounded_memory,
    check_line,
    check_skipped,
    run,
)
from tests.unit.humanml3d_folder import Folder
from tests.unit.tiny_models import tiny_model_folder

pytestmark = pytest.mark.timeout(60)


def test_sound_files_are_read(tmp_path):
    (tmp_path / "good.npy").write_bytes(GOOD)
    (tmp_path / "good.npz").write_bytes(SOUND)
    assert read_motion(tmp_path / "good.npz").joints.shape == (40, 22, 3)


def refused(path, *says):
    with bounded_memory(), pytest.raises(UserError) as caught:
        read_motion(path)
    check_line(str(caught.value), [path.name, *says])


USABLE = {"whole_numbers"}  # as a motion they are: zeros


@pytest.mark.parametrize("name", [one for one in NPY if one not in USABLE])
def test_bad_npy_files_are_refused(name, tmp_path):
    path = tmp_path / f"{name}.npy"
    path.write_bytes(NPY[name])
    refused(path)


@pytest.mark.parametrize("name", [one for one in NPZ if one != "bomb"])
def test_bad_npz_files_are_refused(name, tmp_path):
    path = tmp_path / f"{name}.npz"
    path.write_bytes(NPZ[name]())
    refused(path)


@pytest.mark.slow
@pytest.mark.timeout(300)  # to make it takes longer than to refuse it
def test_a_bomb_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "bomb.npz"
    path.write_bytes(NPZ["bomb"]())
    assert path.stat().st_size < 8 << 20
    refused(path)


@pytest.mark.parametrize("ending", ["npy", "npz", "bvh"])
@pytest.mark.parametrize("kind", ["fifo", "directory", "device", "loop", "sparse"])
def test_what_is_no_file_is_refused(ending, kind, tmp_path):
    path = tmp_path / f"{kind}.{ending}"
    if kind == "sparse":
        path.write_bytes(claims((1 << 32, 263)))
        os.truncate(path, (1 << 42) + 128)
    else:
        ODD_FILES[kind](path)
    refused(path)


def test_a_name_with_a_null_is_refused(tmp_path):
    for ending in ("npy", "npz", "bvh"):
        with pytest.raises(UserError) as caught:
            read_motion(tmp_path / f"a\0b.{ending}")
        assert "\n" not in str(caught.value)


def test_nothing_in_an_array_is_executed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for ending in ("npy", "npz"):
        (tmp_path / f"trap.{ending}").write_bytes(trapped(tmp_path))
        refused(tmp_path / f"trap.{ending}")
    for name in ("type_of_code", "header_of_code"):
        (tmp_path / f"{name}.npy").write_bytes(NPY[name])
        refused(tmp_path / f"{name}.npy")
    assert not (tmp_path / "executed").exists()


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tiny_model_folder(tmp_path_factory.mktemp("model") / "tiny")


def test_the_other_lines_of_a_file_of_prompts_run(model, tmp_path):
    bad = [f"{name}.npy" for name in NPY if name not in USABLE]
    bad += [f"{name}.npz" for name in NPZ if name != "bomb"]
    for file in bad:
        stem, _, ending = file.partition(".")
        content = NPY[stem] if ending == "npy" else NPZ[stem]()
        (tmp_path / file).write_bytes(content)
    os.mkfifo(tmp_path / "fifo.npy")
    (tmp_path / "folder.npy").mkdir()
    (tmp_path / "digits.bvh").write_text("HIERARCHY\nROOT a\n{\nCHANNELS " + "9" * 5_000)
    bad += ["fifo.npy", "folder.npy", "digits.bvh", "nul\0l.npy", "x" * 5_000 + ".npy"]
    lines = [f"Describe <motion>#{file}\n".encode() for file in bad]
    lines += [b"caf\xe9\n", b"walk " * 2_000_000 + b"\n", b"Generate motion: a person walks.\n"]
    (tmp_path / "prompts.txt").write_bytes(b"".join(lines))
    words = ["demo", str(model), "--example", str(tmp_path / "prompts.txt"), "--device", "cpu"]
    ran = run([*words, "--out", str(tmp_path / "out"), "--frames", "20"])
    assert ran.status == 1 and f"1 of {len(lines)} done" in ran.out, ran.out
    assert len(ran.errors) == len(lines) - 1
    for line, file in zip(ran.errors, bad, strict=False):
        check_line(line, [] if "\0" in file or len(file) > 1_000 else [file])


@pytest.mark.parametrize("name", NPY)
def test_bad_motions_of_a_data_set_are_named(name, tmp_path):
    folder = Folder(tmp_path / "set")
    folder.clip("000001")
    folder.clip("bad")
    folder.motion("bad").write_bytes(NPY[name])
    ran = run(
        ["data", "verify", "data=humanml3d", f"data.source.path={tmp_path / 'set'}", "--strict"]
    )
    check_skipped(ran, "bad")


@pytest.mark.parametrize("name", NPY)
def test_bad_statistics_of_a_data_set_are_refused(name, tmp_path):
    from motiongpt.data.humanml3d import HumanML3DSource

    folder = Folder(tmp_path / "set")
    folder.clip("000001")
    np.save(folder.path / "Std.npy", np.ones(263, np.float32))
    (folder.path / "Mean.npy").write_bytes(NPY[name])
    source = HumanML3DSource(str(folder.path))
    with bounded_memory(), pytest.raises(UserError) as caught:
        source.published_statistics()
    check_line(str(caught.value), ["Mean.npy"])
