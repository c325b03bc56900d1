"""`motiongpt fit`: what it writes, going on after a kill, and bad input in one line."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from launch.cli import main
from motiongpt.api.motion_file import read_motion
from motiongpt.bodies.fitting import FitOptions
from motiongpt.bodies.folder import Written, fit_files, named
from motiongpt.bodies.free_body import FreeBody
from motiongpt.errors import UserError
from tests.shared import ROOT
from tests.unit.bodies.stand_ins import made_up_clip, write_model

FEW = FitOptions(steps=5)


@pytest.fixture
def motions(tmp_path):
    folder = tmp_path / "motions"
    (folder / "more").mkdir(parents=True)
    for number in range(5):
        np.save(folder / "more" / f"{number}.npy", made_up_clip(8 + number, number))
    return folder


def arrays(folder):
    return {
        str(path.relative_to(folder)): dict(np.load(path)) for path in sorted(folder.rglob("*.npz"))
    }


def same(one, other):
    assert one.keys() == other.keys() and one
    for name, held in one.items():
        for key, array in held.items():
            assert np.array_equal(array, other[name][key]), (name, key)


def test_parameters_vertices_and_meshes_are_written(motions, tmp_path, capsys):
    out, models = tmp_path / "out", tmp_path / "models"
    write_model(models, "smplx")
    command = ["fit", str(motions / "more" / "0.npy"), str(out), "--steps", "5", "--vertices"]
    command += ["--ply", "--body", "smplx", "--body-models", str(models)]
    assert main(command) == 0
    assert "1 of 1 fitted, joints " in capsys.readouterr().out
    held = np.load(out / "0.npz")
    assert held["poses"].shape == (8, 165) and held["pose_hand"].shape == (8, 90)
    assert held["trans"].shape == (8, 3) and held["betas"].shape == (10,)
    assert str(held["gender"]) == "neutral" and str(held["surface_model_type"]) == "smplx"
    record = json.loads(str(held["motiongpt"]))
    assert record["options"]["steps"] == 5 and record["mean_joint_error_mm"] < 30
    vertices = np.load(out / "0.vertices.npy")
    assert vertices.shape == (8, 55 * 8, 3) and vertices.dtype == np.float32
    meshes = sorted((out / "0").glob("*.ply"))
    assert [one.name for one in meshes] == [f"{frame:05d}.ply" for frame in range(8)]
    header, _, body = meshes[3].read_bytes().partition(b"end_header\n")
    assert b"element vertex 440" in header and b"element face 40" in header
    assert np.array_equal(np.frombuffer(body[: 440 * 12], "<f4").reshape(-1, 3), vertices[3])
    assert len(body) == 440 * 12 + 40 * 13


def test_a_fit_that_stopped_goes_on_and_gives_the_same(motions, tmp_path):
    body, files = FreeBody(), named(sorted(motions.rglob("*.npy")), motions)

    def outcomes(folder):
        return fit_files(body, files, folder, read_motion, FEW, Written(), batch=2)

    whole = list(outcomes(tmp_path / "whole"))
    assert all(one.fitted for one in whole) and len(whole) == 5
    stopped = outcomes(tmp_path / "parts")
    for _ in range(3):  # one batch and half of the next, as a kill leaves it
        next(stopped)
    stopped.close()
    assert len(arrays(tmp_path / "parts")) == 3
    again = list(outcomes(tmp_path / "parts"))
    assert sum(one.fitted is None for one in again) == 3 and len(again) == 5
    same(arrays(tmp_path / "whole"), arrays(tmp_path / "parts"))


def test_what_changed_is_fitted_again_and_nothing_else(motions, tmp_path):
    body, files = FreeBody(), named(sorted(motions.rglob("*.npy")), motions)
    list(fit_files(body, files, tmp_path / "out", read_motion, FEW, batch=2))
    np.save(motions / "more" / "3.npy", made_up_clip(9, 77))
    (tmp_path / "out" / "more" / "0.npz").write_bytes(b"damaged")
    again = list(fit_files(body, files, tmp_path / "out", read_motion, FEW, batch=2))
    assert sorted(one.name for one in again if one.fitted) == ["more/0", "more/3"]
    other = list(fit_files(body, files, tmp_path / "out", read_motion, FitOptions(steps=6)))
    assert all(one.fitted for one in other)


@pytest.mark.long
@pytest.mark.slow
def test_a_fit_that_is_killed_goes_on_and_gives_the_same(motions, tmp_path):
    def command(out):
        return [sys.executable, "-m", "launch.cli", "fit", str(motions), str(out),
                "--batch", "1", "--steps", "40", "--device", "cpu"]  # fmt: skip

    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    running = subprocess.Popen(command(tmp_path / "killed"), env=environment)
    while running.poll() is None and not list(tmp_path.glob("killed/more/*.npz")):
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.wait()
    for out in ("killed", "whole"):
        subprocess.run(command(tmp_path / out), env=environment, check=True)
    same(arrays(tmp_path / "whole"), arrays(tmp_path / "killed"))


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.full((4, 22, 3), np.nan, np.float32), "NaN"),
        (np.zeros((4, 7, 3), np.float32), r"an array of shape \(4, 7, 3\); expected joints"),
        (np.zeros((0, 22, 3), np.float32), "frames"),
        (np.array([{}], object), "pickled"),
    ],
)
def test_numbers_that_are_no_motion_are_one_line(tmp_path, capsys, array, said):
    np.save(tmp_path / "bad.npy", array, allow_pickle=True)
    assert main(["fit", str(tmp_path / "bad.npy"), str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith("motiongpt fit: ") and "bad.npy" in error
    assert re.search(said, error)
    assert not (tmp_path / "out").exists()


def test_a_bad_file_among_others_is_named_and_the_rest_is_fitted(motions, tmp_path, capsys):
    np.save(motions / "bad.npy", np.zeros((4, 7, 3)))
    assert main(["fit", str(motions), str(tmp_path / "out"), "--steps", "5"]) == 1
    said = capsys.readouterr()
    assert "bad.npy" in said.err and "5 of 6 fitted" in said.out
    assert len(arrays(tmp_path / "out")) == 5


def test_wrong_words_are_one_line(motions, tmp_path, capsys):
    one = str(motions / "more" / "0.npy")
    for words, said in (
        ([str(tmp_path / "none"), "out"], "no such file or folder"),
        ([one, "out", "--body", "smpl"], "https://smpl.is.tue.mpg.de gives to whoever registers"),
        ([one, "out", "--body-models", "x"], "the free body needs none"),
        ([one, "out", "--steps", "0"], "expected 1 or more"),
        ([one, one], "name a folder"),
    ):
        assert main(["fit", *words]) == 2
        error = capsys.readouterr().err.strip()
        assert said in error and "\n" not in error


def test_two_files_of_one_name_are_refused(motions):
    with pytest.raises(UserError, match="both would become 0.npz"):
        named([motions / "0.bvh", motions / "0.npy"], motions)
