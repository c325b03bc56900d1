"""Pictures of the body, whole motions in one picture, and motions side by side."""

import shutil
import warnings

import numpy as np
import pytest
from PIL import Image

from motiongpt import Motion
from motiongpt.bodies.free_body import FreeBody
from motiongpt.errors import UserError
from motiongpt.motion.skeleton import KIT
from motiongpt.render import fonts
from motiongpt.render.figure import BACKGROUND
from motiongpt.render.film import film_of, sequence_of
from motiongpt.render.looks import SKIN
from motiongpt.render.raster import Mesh
from motiongpt.render.shown import Shown
from tests.unit.bodies.stand_ins import made_up_clip
from tests.unit.test_render import walk


@pytest.fixture(scope="module")
def motion():
    return Motion.from_joints(made_up_clip(frames=6), captions=["a person moves"])


@pytest.fixture(scope="module")
def body():
    return FreeBody()


def test_what_is_near_covers_what_is_far_and_backs_are_not_seen():
    corners = np.array([[1, 1], [1, 9], [9, 1]], float)  # anticlockwise where y is down
    faces = np.array([[0, 1, 2], [3, 4, 5], [6, 8, 7]])
    pixels = np.concatenate([corners, corners + 2, corners])
    nearness = np.repeat([1.0, 2.0, 3.0], 3)
    (left, top), front = Mesh(faces, 9).in_front(pixels, nearness, (20, 20))
    assert (left, top) == (1, 1) and front.shape == (10, 10)
    assert front[0, 0] == 0 and front[3, 3] == 1 and front[9, 9] == -1
    assert set(np.unique(front)) == {-1, 0, 1}
    count = (front == 1).sum()
    assert count == pytest.approx(32, abs=5)


def test_a_mesh_beside_the_picture_leaves_it_alone():
    faces = np.array([[0, 1, 2]])
    pixels = np.array([[31.0, 1], [31, 9], [39, 1]])
    _, front = Mesh(faces, 3).in_front(pixels, np.ones(3), (20, 20))
    assert front.size == 0


def test_what_faces_the_sun_is_lighter():
    up = np.array([[0, 0, 0], [0, 0, 1], [1, 0, 0]], float)
    light, dark = (Mesh(np.array([order]), 3).shades(up)[0] for order in ((0, 1, 2), (0, 2, 1)))
    assert light > 1.5 * dark


def test_the_body_fills_the_place_of_the_sticks(motion, body):
    pictures = []
    for worn in (None, body):
        film = film_of([Shown(motion, caption="")], 96, worn)
        pictures.append(np.asarray(next(film.pictures)).astype(int))
    sticks, mesh = (np.abs(one - BACKGROUND).max(-1) > 60 for one in pictures)
    assert (sticks & mesh).sum() > 0.4 * sticks.sum()
    greys = np.abs(pictures[1] - SKIN).max(-1) < 40
    assert greys.sum() > 30


def test_a_sequence_shows_all_poses_the_last_in_full():
    joints = walk(frames=40, metres_a_frame=0.08)
    sheet = sequence_of([Shown(Motion.from_joints(joints))], 120, 3)
    assert sheet.size == (192, 120)
    pixels = np.asarray(sheet).astype(int)
    blue = (pixels[..., 2] - pixels[..., 0] > 25).sum(0)[:, None].ravel()
    groups = np.flatnonzero(np.diff(np.concatenate([[0], blue > 0])) == 1)
    assert len(groups) >= 3
    strong = (pixels[..., 2] - pixels[..., 0] > 120).any(0)
    assert strong.any() and np.flatnonzero(strong).max() - np.flatnonzero(strong).min() < 60
    with pytest.raises(UserError, match="at least one"):
        sequence_of([Shown(Motion.from_joints(joints))], 120, 0)


def test_side_by_side_at_one_rate_and_the_short_one_waits(tmp_path, motion):
    short = motion[:2].at(10)
    path = motion.save(tmp_path / "a.gif", label="real", beside={"x": short}, size=64)
    with Image.open(path) as picture:
        assert picture.size == (128, 64) and picture.n_frames == 6
    many = film_of([Shown(motion)] * 5, 32)
    assert many.size == (128, 64) and len(list(many.pictures)) == 6
    for mode, size in (("sequence", (102 * 2, 64)), ("strip", (64 * 6, 2 * (64 + 20)))):
        out = motion.save(tmp_path / f"{mode}.png", mode=mode, size=64, beside={"x": motion})
        with Image.open(out) as picture:
            assert picture.size == size


def test_what_cannot_be_drawn_leaves_nothing(tmp_path, motion):
    kit = Motion.from_joints(walk(KIT, frames=2), skeleton=KIT)
    for ending, option, said in (
        (".gif", {"look": "mesh"}, "use look=sticks"),
        (".webp", {"look": "clay"}, "choose one of sticks, mesh"),
        (".mp4", {"size": 101}, "even size"),
        (".png", {"mode": "video"}, "choose one of strip, sequence"),
        (".html", {"follow": "no"}, "choose one of auto"),
        (".bvh", {"label": "real"}, "holds one motion"),
        (".mp4", {"look": "mesh", "weight": 9}, "expected -3 to 3"),
    ):
        with pytest.raises(UserError, match=said):
            kit.save(tmp_path / f"a{ending}", **option)
    assert not list(tmp_path.iterdir())


def test_letters_come_from_a_font_that_has_them(monkeypatch):
    assert fonts.font_file("Müller") is None
    assert fonts.font_file("человек идёт") == fonts.DEJAVU
    monkeypatch.setattr(fonts, "_of_the_system", lambda: ())
    with pytest.warns(UserWarning, match="no font here has '走'.*apt-get install fonts-noto"):
        assert fonts.font_file("走 walks") == fonts.DEJAVU
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fonts.font_file("plain")


def test_blender_is_asked_for_one_motion_and_must_be_there(tmp_path, motion):
    path = tmp_path / "a.mp4"
    with pytest.raises(UserError, match="no program no-blender; install it"):
        motion.save(path, renderer="blender", blender="no-blender", size=32)
    with pytest.raises(UserError, match="false: failed"):
        motion.save(path, renderer="blender", blender="false", size=32)
    with pytest.raises(UserError, match="draws one motion"):
        motion.save(path, renderer="blender", beside={"x": motion})
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_blender_sees_the_body_where_our_pictures_have_it(tmp_path, motion, body):
    if shutil.which("blender") is None:
        pytest.skip("Blender is absent")
    two, size = Motion(motion.joints[:2], 20.0), 96
    path = two.save(tmp_path / "a.webp", renderer="blender", samples=4, size=size)
    with Image.open(path) as picture:
        assert picture.n_frames == 2
        theirs = np.asarray(picture.convert("L")).astype(int)
    ours = np.asarray(next(film_of([Shown(two)], size, body).pictures).convert("L")).astype(int)
    places = [np.argwhere(np.abs(one - np.median(one, axis=1, keepdims=True)) > 40)[:, 1].mean()
              for one in (ours[20:70], theirs[20:70])]  # fmt: skip
    assert places[0] == pytest.approx(places[1], abs=4)
