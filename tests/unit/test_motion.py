"""Motion objects: what they hold, files in and out, slices, frame rates."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from motiongpt import Motion
from motiongpt.data.synthetic import SyntheticSource
from motiongpt.errors import UserError
from motiongpt.motion.features import joints_to_features
from motiongpt.motion.skeleton import HUMANML3D, KIT


@pytest.fixture(scope="module")
def joints():
    clip = next(iter(SyntheticSource(clips=1, seed=3).clips()))
    return np.asarray(clip.joints, np.float32)


def test_importing_the_package_loads_nothing():
    code = "import motiongpt, sys; print('torch' in sys.modules or 'numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr
    with pytest.raises(ImportError):
        from motiongpt import Nothing  # noqa: F401


def test_joints_features_and_times(joints):
    motion = Motion.from_joints(joints, captions=["a person moves"])
    assert motion.frames == len(motion) == len(joints) and motion.fps == 20
    assert motion.seconds == pytest.approx(len(joints) / 20)
    assert motion.features.shape == (len(joints), 263)
    import torch

    rows = joints_to_features(torch.from_numpy(joints), HUMANML3D).numpy()
    np.testing.assert_allclose(motion.features[:-1], rows, atol=2e-3)  # the heading is smoothed
    assert "a person moves" in repr(motion)


def test_a_motion_does_not_change_with_the_array_it_was_made_of(joints):
    source = joints.copy()
    motion = Motion.from_joints(source)
    source[:] = 0
    np.testing.assert_array_equal(motion.joints, joints)


def test_features_alone_start_over_the_origin_and_come_back(joints):
    motion = Motion.from_features(Motion.from_joints(joints).features)
    assert np.abs(motion.joints[0, 0, [0, 2]]).max() < 1e-6
    again = Motion.from_joints(motion.joints)
    np.testing.assert_allclose(again.features[:-1], motion.features[:-1], atol=2e-3)


def test_a_slice_stays_where_it_was(joints):
    motion = Motion.from_joints(joints, captions=["x"])
    part = motion[10:30]
    np.testing.assert_array_equal(part.joints, motion.joints[10:30])
    np.testing.assert_array_equal(part.features, motion.features[10:30])
    assert part.captions == ("x",) and motion[-1].frames == 1
    np.testing.assert_array_equal(motion[-1].joints[0], motion.joints[-1])
    with pytest.raises(IndexError):
        motion[len(motion)]
    with pytest.raises(UserError, match="at\\(fps\\)"):
        motion[::2]
    with pytest.raises(UserError, match="none"):
        motion[5:5]


def test_another_frame_rate_keeps_the_time(joints):
    motion = Motion.from_joints(joints, fps=20)
    other = motion.at(30)
    assert other.fps == 30 and abs(other.seconds - motion.seconds) < 1 / 20
    np.testing.assert_allclose(other.joints[::3][:10], motion.joints[::2][:10], atol=1e-5)
    assert motion.at(20) is motion


@pytest.mark.parametrize("ending", [".npy", ".npz", ".bvh"])
def test_what_is_saved_is_read(joints, tmp_path, ending):
    motion = Motion.from_joints(joints, fps=20, captions=["a", "b"])
    found = Motion.from_file(motion.save(tmp_path / f"clip{ending.upper()}"))
    assert found.fps == 20 and found.frames == motion.frames
    np.testing.assert_allclose(found.joints, motion.joints, atol=1e-5)
    if ending == ".npz":
        assert found.captions == ("a", "b")
        np.testing.assert_array_equal(found.features, motion.features)


def test_npy_is_told_apart_by_its_shape(tmp_path, joints):
    features = Motion.from_joints(joints).features
    np.save(tmp_path / "features.npy", features)
    np.save(tmp_path / "batch.npy", joints[None])  # as MotionGPT's demo writes them
    np.save(tmp_path / "kit.npy", np.zeros((5, 251)))
    np.testing.assert_array_equal(Motion.from_file(tmp_path / "features.npy").features, features)
    np.testing.assert_array_equal(Motion.from_file(tmp_path / "batch.npy").joints, joints)
    kit = Motion.from_file(tmp_path / "kit.npy")
    assert kit.skeleton is KIT and kit.fps == 12.5
    assert Motion.from_file(tmp_path / "batch.npy", fps=30).fps == 30


@pytest.mark.parametrize("ending", [".gif", ".webp", ".png"])
def test_pictures(tmp_path, joints, ending):
    motion = Motion.from_joints(joints[:12], captions=["a person moves"])
    with Image.open(motion.save(tmp_path / f"clip{ending}")) as picture:
        assert picture.size[0] > 100
        assert ending == ".png" or picture.n_frames == 12
    motion[0].save(tmp_path / f"pose{ending}")


@pytest.mark.parametrize("screen", ["", ":0"])
def test_show_opens_a_page_where_there_is_a_screen(joints, capsys, monkeypatch, screen):
    opened = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("DISPLAY", screen)
    path = Motion.from_joints(joints[:5]).show()
    assert path.suffix == ".html" and path.is_file() and str(path) in capsys.readouterr().out
    assert opened == ([path.as_uri()] if screen else [])


def pickled(path):
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)


def cut(path):
    np.save(path, np.zeros((40, 263)))
    path.write_bytes(path.read_bytes()[:1000])


@pytest.mark.parametrize(
    ("name", "write", "said"),
    [
        ("gone.npy", None, "no such file"),
        ("clip.mp4", None, "ends in .npy, .npz, .bvh"),
        ("pickled.npy", pickled, "pickled objects"),
        ("cut.npy", cut, "can't be read"),
        ("shape.npy", lambda p: np.save(p, np.zeros((3, 4))), "shape \\(3, 4\\)"),
        ("words.npy", lambda p: np.save(p, np.array(["x"] * 3)), "shape \\(3,\\)"),
        ("nan.npy", lambda p: np.save(p, np.full((9, 263), np.nan)), "NaN or infinity at frame 0"),
        ("empty.npy", lambda p: np.save(p, np.zeros((0, 263))), "shape \\(0, 263\\)"),
        ("far.npy", lambda p: np.save(p, np.full((9, 22, 3), 1e6)), "expected metres"),
        ("mm.npy", lambda p: np.save(p, np.full((9, 251), 900.0)), "0 to 3 m are expected"),
        ("other.npz", lambda p: np.savez(p, poses=np.zeros(3)), "holds poses; expected joints"),
        ("text.bvh", lambda p: p.write_text("hello"), "text.bvh:1"),
    ],
)
def test_bad_files_are_one_line_with_their_name(tmp_path, name, write, said):
    if write is not None:
        write(tmp_path / name)
    with pytest.raises(UserError, match=said) as caught:
        Motion.from_file(tmp_path / name)
    assert name in str(caught.value) and "\n" not in str(caught.value)


def test_bad_numbers_are_refused(joints):
    with pytest.raises(UserError, match="joints of shape"):
        Motion.from_joints(joints[:, :5])
    with pytest.raises(UserError, match="fps=0"):
        Motion.from_joints(joints, fps=0)
    with pytest.raises(UserError, match="0.3 to 3 m are expected"):
        Motion.from_joints(joints * 100)
    with pytest.raises(UserError, match="ends in"):
        Motion.from_joints(joints).save("clip.xyz")
    with pytest.raises(UserError, match="no array of numbers"):
        Motion.from_joints([["x"]])  # type: ignore[arg-type]


def test_show_is_a_page_in_a_notebook(joints, monkeypatch, capsys):
    display = pytest.importorskip("IPython.display")
    monkeypatch.setattr("motiongpt.api.showing._in_notebook", lambda: True)
    shown = Motion.from_joints(joints[:5]).show()
    assert isinstance(shown, display.HTML)
    assert shown.data.startswith('<div><iframe sandbox="allow-scripts"')
    assert "&lt;!doctype html&gt;" in shown.data and "<script" not in shown.data
    assert capsys.readouterr().out == ""
