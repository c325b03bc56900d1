"""`motiongpt export` and the formats behind it: found by looking, refused in one line."""

import subprocess

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

from launch.cli import main
from motiongpt import Motion
from motiongpt.api.demo.batch import Outcome
from motiongpt.api.demo.results import write_outcome
from motiongpt.data.synthetic import SyntheticSource
from motiongpt.errors import UserError
from motiongpt.export.base import as_kind
from motiongpt.export.known import known_formats
from motiongpt.motion.cleaning import cleaned
from motiongpt.motion.skeleton import HUMANML3D
from tests.unit.test_rigid import trembling


@pytest.fixture(scope="module")
def joints():
    clip = next(iter(SyntheticSource(clips=1, seed=3).clips()))
    return np.asarray(clip.joints, np.float32)[:20]


@pytest.fixture
def file(joints, tmp_path):
    path = tmp_path / "in.npy"
    np.save(path, joints)
    return path


def test_help_names_each_format_and_option(capsys):
    with pytest.raises(SystemExit):
        main(["export", "--help"])
    said = capsys.readouterr().out
    for ending, one in known_formats().items():
        assert ending in said
        assert all(f"{name}=" in said for name in one.options())
    assert "motiongpt export walk.npz walk.bvh" in said


def test_several_files_of_one_motion(file, tmp_path, capsys):
    outs = [tmp_path / name for name in ("a.bvh", "b.npz", "c.npy")]
    words = ["export", str(file), *map(str, outs), "fps=40", "clean=feet,smooth", "rigid=true"]
    assert main(words) == 0
    assert capsys.readouterr().out.split() == [str(out) for out in outs]
    found = [Motion.from_file(out, fps=40 if out.suffix == ".npy" else None) for out in outs]
    assert [one.fps for one in found] == [40, 40, 40]
    for one in found[1:]:
        np.testing.assert_allclose(one.joints, found[0].joints, atol=1e-4)


def test_words_above_a_picture_and_its_size(file, tmp_path):
    words = ["export", str(file), str(tmp_path / "a.webp"), "--caption", "a person moves"]
    assert main([*words, "size=64"]) == 0
    with Image.open(tmp_path / "a.webp") as picture:
        assert picture.size == (64, 64) and picture.n_frames == 20


def test_a_film_has_the_rate_the_size_and_the_length(joints, tmp_path):
    path = Motion.from_joints(joints, 20).save(tmp_path / "a.mp4", size=96, fps=40)
    reader = imageio_ffmpeg.read_frames(str(path))
    about = next(reader)
    assert about["size"] == (96, 96) and about["fps"] == 40 and about["codec"] == "h264"
    frames = list(reader)
    assert len(frames) == 39
    still = np.frombuffer(frames[0], np.uint8).reshape(96, 96, 3)
    assert still.std() > 5  # something is drawn
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", path, "-f", "null", "-"])


@pytest.mark.parametrize(
    ("out", "option", "said"),
    [
        ("a.xyz", "", "expected a file that ends in .bvh, .fbx"),
        ("a.bvh", "names=maya", "names=maya: choose one of own, mixamo, cmu, smpl, unreal"),
        ("a.bvh", "unit=inch", "unit=inch: choose one of m, cm"),
        ("a.bvh", "size=3", ".bvh: no option size; its options are names, unit"),
        ("a.npy", "size=3", ".npy: no option size; it has no options"),
        ("a.webp", "size=big", "size=big: expected a whole number"),
        ("a.mp4", "size=97", "size=97: a film needs an even size"),
        ("a.webp", "size=0", "size=0: expected"),
        ("a.bvh", "fps=0", "fps=0"),
        ("a.bvh", "fps=fast", "fps=fast: expected a number"),
        ("a.bvh", "rigid=perhaps", "rigid=perhaps: expected true or false"),
        ("a.bvh", "clean=hands", "clean=hands: choose of feet, smooth"),
    ],
)
def test_what_is_refused_is_said_in_one_line(file, tmp_path, capsys, out, option, said):
    assert main(["export", str(file), str(tmp_path / out), *filter(None, [option])]) == 2
    complaint = capsys.readouterr().err
    assert said in complaint and complaint.count("\n") == 1
    assert [one.name for one in tmp_path.iterdir()] == ["in.npy"]  # nothing is half-written


def test_no_file_to_write_and_none_to_read(file, tmp_path, capsys):
    assert main(["export", str(file), "fps=20"]) == 2
    assert "name the file to write" in capsys.readouterr().err
    assert main(["export", str(tmp_path / "no.npy"), str(tmp_path / "a.bvh")]) == 2
    assert "no such file" in capsys.readouterr().err


def test_options_are_of_their_kind():
    assert as_kind("x", "no", bool) is False and as_kind("x", True, bool) is True
    assert as_kind("x", "3", int) == 3 and as_kind("x", "2.5", float) == 2.5
    with pytest.raises(UserError, match="x=2.5: expected a whole number"):
        as_kind("x", "2.5", int)


def test_a_demo_cleans_what_is_looked_at_and_keeps_what_was_generated(joints, tmp_path):
    motion = Motion.from_joints(trembling(joints.astype(float), 0.01), 20)
    write_outcome(tmp_path, 0, Outcome(motion=motion), HUMANML3D, bvh=True, clean="feet,smooth")
    np.testing.assert_array_equal(np.load(tmp_path / "0_out.npy"), motion.joints)
    found = Motion.from_file(tmp_path / "0_out.bvh").joints
    expected = cleaned(motion.joints, HUMANML3D, 20.0, ("feet", "smooth"), rigid=True)
    np.testing.assert_allclose(found, expected, atol=1e-3)
    assert np.linalg.norm(found - motion.joints, axis=-1).max() > 0.005
