import numpy as np
import pytest
from PIL import Image

from motiongpt.errors import UserError
from motiongpt.motion.skeleton import HUMANML3D
from motiongpt.render.animation import render_animation
from motiongpt.render.figure import LEFT_COLOUR, RIGHT_COLOUR
from motiongpt.render.strip import render_strip


def joints(frames=12):
    pose = HUMANML3D.offsets().numpy().copy()
    for joint, parent in enumerate(HUMANML3D.parents):
        if parent >= 0:
            pose[joint] += pose[parent]
    pose[:, 1] -= pose[:, 1].min()
    return np.stack([pose + [0, 0, 0.05 * frame] for frame in range(frames)])


@pytest.mark.parametrize("ending", [".gif", ".webp"])
def test_an_animation_has_every_frame_and_both_sides(tmp_path, ending):
    path = tmp_path / f"a{ending}"
    render_animation(joints(), HUMANML3D, path, "someone walks", size=160)
    picture = Image.open(path)
    assert picture.n_frames == 12 and picture.size == (160, 160)
    picture.seek(6)
    pixels = np.asarray(picture.convert("RGB")).astype(int)
    for colour in (LEFT_COLOUR, RIGHT_COLOUR):
        assert (np.abs(pixels - colour).max(-1) < 40).sum() > 20


def test_a_strip_is_as_wide_as_its_poses(tmp_path):
    render_strip(joints(), HUMANML3D, tmp_path / "s.png", "walks", poses=5, size=100)
    assert Image.open(tmp_path / "s.png").size == (500, 100 + 20)
    with pytest.raises(UserError, match="at least one"):
        render_strip(joints(), HUMANML3D, tmp_path / "t.png", poses=0)


def test_joints_that_cannot_be_drawn_are_refused(tmp_path):
    broken = joints()
    broken[3, 2, 1] = np.nan
    with pytest.raises(UserError, match="NaN"):
        render_animation(broken, HUMANML3D, tmp_path / "a.gif")
    with pytest.raises(UserError, match="gif or .webp"):
        render_animation(joints(), HUMANML3D, tmp_path / "a.mp4")
    assert not list(tmp_path.iterdir())
