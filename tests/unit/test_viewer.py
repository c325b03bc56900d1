"""The viewer's page as text: what it holds, and that nothing in it can break out."""

import base64
import gzip
import json
import re

import numpy as np
import pytest
import torch

from motiongpt import Motion
from motiongpt.bodies.base import mesh_of
from motiongpt.bodies.free_body import FreeBody
from motiongpt.errors import UserError
from motiongpt.motion.sequence import MotionSequence
from motiongpt.motion.skeleton import HUMANML3D, KIT
from motiongpt.render.looks import worn_by
from motiongpt.render.shown import Shown
from motiongpt.viewer.body import packed_body, packed_worn
from motiongpt.viewer.packing import packed, quantised
from motiongpt.viewer.page import Choices, viewer_page, write_shared_page
from tests.unit.bodies.stand_ins import made_up_clip
from tests.unit.test_render import walk

STICKS = Choices(mesh=False)


def unpacked(one):
    """As page/arrays.js does it."""
    content = np.frombuffer(gzip.decompress(base64.b64decode(one["data"])), np.uint8)
    if one["kind"] in ("u1", "f4"):
        kind = {"u1": np.uint8, "f4": np.float32}[one["kind"]]
        return content.view(kind).reshape(one["shape"])
    low, high = content.astype(np.uint16).reshape(2, -1)
    rows = (low + 256 * high).reshape(one["shape"][0], -1)
    numbers = np.cumsum(rows, axis=0, dtype=np.uint16).reshape(one["shape"])
    return numbers if one["kind"] == "u2" else numbers.view(np.int16) * one["scale"]


def data_of(page):
    (text,) = re.findall(r'id="data">(.*?)</script>', page, re.S)
    return json.loads(text)


@pytest.fixture(scope="module")
def motion():
    return Motion.from_joints(made_up_clip(frames=12), captions=["a person moves"])


def test_numbers_come_back(motion):
    for array in (np.arange(40, dtype=np.uint8).reshape(4, 10), np.arange(9, dtype=np.float32)):
        np.testing.assert_array_equal(unpacked(packed(array)), array)
    corners = np.random.default_rng(0).integers(0, 65536, (50, 3)).astype(np.uint16)
    np.testing.assert_array_equal(unpacked(packed(corners)), corners)
    joints = motion.joints
    largest = np.abs(joints).max()
    np.testing.assert_allclose(unpacked(quantised(joints)), joints, atol=largest / 65_000)
    assert not unpacked(quantised(np.zeros((3, 2)))).any()


def test_the_page_holds_the_joints(motion):
    page = data_of(viewer_page([Shown(motion, "real")], "title", STICKS))
    (clip,) = page["clips"]
    joints = unpacked(clip["joints"]) + unpacked(clip["root"])[:, None]
    np.testing.assert_allclose(joints, motion.joints, atol=1e-4)
    assert (clip["name"], clip["caption"], clip["fps"]) == ("real", "a person moves", 20)
    assert page["body"] is None and clip["body"] is None


def test_many_bodies_are_fitted_as_each_alone_and_in_order(motion):
    slower = MotionSequence(motion.joints[::2], motion.fps / 2)
    turned = MotionSequence(motion.joints * np.float32([-1, 1, -1]), motion.fps)
    body, given = FreeBody(), [motion, slower, turned]
    for one, found in zip(given, worn_by(body, given), strict=True):
        (alone,) = worn_by(body, [one])
        assert found.fps == one.fps and len(found.root) == len(one.joints)
        np.testing.assert_allclose(found.root, alone.root, atol=1e-5)
        np.testing.assert_allclose(found.rotations, alone.rotations, atol=1e-4)
        np.testing.assert_allclose(found.shape, alone.shape, atol=1e-4)


def test_the_mesh_of_the_page_is_the_bodys(motion):
    body = FreeBody()
    (fitted,) = worn_by(body, [motion])
    worn, mesh = packed_worn(body, fitted), packed_body(body)
    template, maps = unpacked(mesh["vertices"]), unpacked(worn["maps"])
    shares = unpacked(mesh["weights"]) / 255
    bones = unpacked(mesh["bones"])
    np.testing.assert_allclose(shares.sum(1), 1)
    each = np.einsum("vkij,vj->vki", maps[bones][..., :3], template) + maps[bones][..., 3]
    skin = (shares[..., None] * each).sum(1)
    expected = body.rest_vertices(torch.from_numpy(fitted.shape))[0].numpy()
    np.testing.assert_allclose(skin, expected, atol=2e-3)
    assert unpacked(worn["turns"]).shape == (12, 17, 4)
    np.testing.assert_array_equal(unpacked(mesh["faces"]), body.faces)
    assert np.abs(mesh_of(body, fitted)[0].mean(0) - motion.joints[0].mean(0)).max() < 0.3


def test_no_words_break_out_of_the_page(motion):
    evil = "</script><script>alert(1)</script><!-- \u2028 & \"'"
    page = viewer_page([Shown(motion, evil, evil, group=evil)], evil, STICKS)
    assert "<script>alert" not in page
    (clip,) = data_of(page)["clips"]
    assert clip["name"] == clip["caption"] == clip["group"] == evil
    assert page.count("<script") == 3 and page.count("</script>") == 3


def test_pages_ask_for_nothing_and_are_the_same_every_time(motion, tmp_path):
    page = viewer_page([Shown(motion)], "title")
    assert page == viewer_page([Shown(motion)], "title")
    assert not re.search(r"""(src|href)=["']""", page)
    assert "default-src 'none'" in page and page.count("'sha256-") == 2
    assert len(page) < 900_000
    for name in ("a", "b"):
        write_shared_page(tmp_path / f"{name}.html", [Shown(motion)], name)
    assert len(list((tmp_path / "motion_viewer").iterdir())) == 3
    assert (tmp_path / "a.html").stat().st_size < 30_000


def test_other_skeletons_and_given_frames():
    kit = Motion.from_joints(walk(KIT, frames=6), skeleton=KIT)
    given = Motion(walk(frames=6), 20.0, given=np.arange(6) < 2)
    page = data_of(viewer_page([Shown(kit), Shown(given)], "both"))
    first, second = page["clips"]
    assert first["body"] is None and second["body"] is not None
    assert (first["given"], second["given"]) == ([], [[0, 2]])
    assert page["skeletons"]["kit"]["joints"] == KIT.n_joints
    assert page["skeletons"]["humanml3d"]["joints"] == HUMANML3D.n_joints


def test_what_is_refused_is_said(motion):
    with pytest.raises(UserError, match="no motion"):
        viewer_page([], "none")
    with pytest.raises(UserError, match="real: given frames 5 to 13 of 12"):
        viewer_page([Shown(motion, "real", given=[(5, 13)])], "title", STICKS)
