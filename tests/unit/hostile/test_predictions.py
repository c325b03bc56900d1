"""Predictions of strangers: damaged and crafted files in every form, odd things in the folder."""

import os

import numpy as np
import pytest

from evaluation.external.choice import known_forms
from evaluation.external.forms.base import Options
from evaluation.external.reading import read_all, understand
from motiongpt.bodies.smpl_joints import SmplJoints
from motiongpt.errors import UserError
from tests.forms.motions import Bench, body
from tests.unit.external.parts import about_of, write_joints
from tests.unit.hostile.arrays import HUGE, NPY, claims, npy, npz, trapped, zipped
from tests.unit.hostile.bvh_files import FILES as BVH
from tests.unit.hostile.harness import ODD_FILES, attacks, bounded_memory, check_line

pytestmark = pytest.mark.timeout(60)


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return Bench(tmp_path_factory.mktemp("bench"), count=2, frames=44)


def refused(folder, bench, tmp_path, says=(), form=None, partial=False, **options):
    about, given = about_of(bench), Options(**options)
    with bounded_memory(), pytest.raises(UserError) as caught:
        external = understand(folder, about, bench.store, given, form, partial)
        read_all(external, tmp_path / "set")
    check_line(str(caught.value), list(says))
    return str(caught.value)


ARRAYS = ("features", "joints", "features_272", "motion_x")


@pytest.mark.parametrize("form", ARRAYS)
@pytest.mark.parametrize("name", NPY)
def test_bad_arrays_are_refused(name, form, bench, tmp_path):
    folder = tmp_path / "p"
    folder.mkdir()
    for clip in bench.names:
        (folder / f"{clip}.npy").write_bytes(NPY[name])
    refused(folder, bench, tmp_path, form=form, body_models=None)


@pytest.mark.parametrize("name", NPY)
def test_one_bad_array_among_good_ones_is_named(name, bench, tmp_path):
    folder = write_joints(tmp_path / "p", bench)
    (folder / "000001.npy").write_bytes(NPY[name])
    refused(folder, bench, tmp_path, ["000001"], form="joints")


POSES = np.zeros((40, 165))
PARTS = {"poses": POSES, "trans": np.zeros((40, 3)), "mocap_frame_rate": np.array(20.0)}
SMPL = {
    "pose_short": PARTS | {"poses": POSES[:, :60]},
    "pose_flat": PARTS | {"poses": np.zeros(9)},
    "pose_of_text": PARTS | {"poses": np.full((40, 165), "a")},
    "pose_of_none": PARTS | {"poses": np.zeros((0, 165))},
    "pose_nan": PARTS | {"poses": POSES * np.nan},
    "pose_huge": PARTS | {"poses": claims((HUGE, 165), "<f8")},
    "pose_object": PARTS | {"poses": npy(np.array([{}], object), pickled=True)},
    "place_of_others": PARTS | {"trans": np.zeros((3, 3))},
    "place_flat": PARTS | {"trans": np.zeros(120)},
    "place_deep": PARTS | {"trans": np.zeros((0, 3, 1, 1))},
    "shape_of_text": PARTS | {"betas": np.array("thin")},
    "shape_nan": PARTS | {"betas": np.full(10, np.nan)},
    "shape_huge": PARTS | {"betas": np.zeros(100_000)},
    "rate_text": PARTS | {"mocap_frame_rate": np.array("fast")},
    "rate_nan": PARTS | {"mocap_frame_rate": np.array(np.nan)},
    "rate_none": {key: value for key, value in PARTS.items() if key != "mocap_frame_rate"},
    "gender_other": PARTS | {"gender": np.array("x" * 100_000)},
    "gender_list": PARTS | {"gender": np.zeros((3, 3))},
    "only_half": {"root_orient": np.zeros((40, 3)), "trans": np.zeros((40, 3))},
    "halves_differ": {
        "root_orient": np.zeros((40, 3)), "pose_body": np.zeros((3, 63)),
        "trans": np.zeros((40, 3)), "fps": np.array(20),
    },
}  # fmt: skip


@pytest.mark.parametrize("name", SMPL)
def test_bad_smpl_files_are_refused(name, bench, tmp_path):
    folder = tmp_path / "p"
    folder.mkdir()
    for clip in bench.names:
        (folder / f"{clip}.npz").write_bytes(npz(**SMPL[name]))
    refused(folder, bench, tmp_path, ["000000"], form="smpl", body_models=body(tmp_path / "body"))


ZIPS = {"empty": b"", "text": b"no archive", "cut": npz(**PARTS)[:900], "nothing": zipped({})}


@pytest.mark.parametrize("name", ZIPS)
def test_bad_archives_are_refused(name, bench, tmp_path):
    folder = tmp_path / "p"
    folder.mkdir()
    for clip in bench.names:
        (folder / f"{clip}.npz").write_bytes(ZIPS[name])
    for form in ("smpl", None):
        refused(folder, bench, tmp_path, ["000000"], form=form)


@attacks(BVH)
def test_bad_bvh_files_are_refused(attack, bench, tmp_path):
    attack.build(tmp_path)
    (tmp_path / "p").mkdir()
    for found in tmp_path.glob("*.bvh"):
        os.rename(found, tmp_path / "p" / "000000.bvh")
    refused(tmp_path / "p", bench, tmp_path, partial=True)


@pytest.mark.parametrize("kind", ["fifo", "directory", "device", "loop"])
@pytest.mark.parametrize("ending", sorted({one.ending for one in known_forms().values()}))
def test_what_is_no_file_is_refused(kind, ending, bench, tmp_path):
    folder = tmp_path / "p"
    folder.mkdir()
    for clip in bench.names:
        ODD_FILES[kind](folder / f"{clip}{ending}")
    refused(folder, bench, tmp_path)


def test_nothing_in_a_file_is_executed(bench, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bad = trapped(tmp_path)
    for ending, content in (("npy", bad), ("npz", npz(poses=bad, trans=bad))):
        folder = tmp_path / ending
        folder.mkdir()
        for clip in bench.names:
            (folder / f"{clip}.{ending}").write_bytes(content)
        refused(folder, bench, tmp_path)
    with pytest.raises(UserError):
        (tmp_path / "SMPLX_NEUTRAL.npz").write_bytes(npz(J_regressor=bad))
        SmplJoints.load(tmp_path / "SMPLX_NEUTRAL.npz")
    assert not (tmp_path / "executed").exists()


def test_names_that_steer_a_terminal_are_shown_as_letters(bench, tmp_path):
    folder = write_joints(tmp_path / "p", bench)
    np.save(folder / "a\x1b[2Jb\n.npy", np.zeros((9, 22, 3), np.float32))
    refused(folder, bench, tmp_path, ["called as no clip"])
    os.makedirs(folder / "deep")
    os.symlink(folder, folder / "deep" / "again")
    refused(folder, bench, tmp_path, ["called as no clip"])


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{", b"\xff\xfe", b'{"000000": NaN, "000001": 0}', b"[" * 100_000],
    ids=["empty", "list", "open", "no_utf8", "nan", "deep"],
)
def test_bad_captions_are_refused(content, bench, tmp_path):
    folder = write_joints(tmp_path / "p", bench)
    (folder / "captions.json").write_bytes(content)
    refused(folder, bench, tmp_path, ["captions.json"])


BODIES = {
    "empty": {},
    "no_tree": {"J_regressor": np.eye(55), "v_template": np.zeros((55, 3)), "shapedirs": np.zeros((55, 3, 9))},
    "other_tree": {
        "J_regressor": np.eye(55), "v_template": np.zeros((55, 3)),
        "shapedirs": np.zeros((55, 3, 9)), "kintree_table": np.zeros((2, 55), np.int64),
    },
    "other_sizes": {
        "J_regressor": np.eye(9), "v_template": np.zeros((55, 3)),
        "shapedirs": np.zeros((55, 3, 9)), "kintree_table": np.zeros((2, 55), np.int64),
    },
    "text": {
        "J_regressor": np.full((55, 55), "a"), "v_template": np.zeros((55, 3)),
        "shapedirs": np.zeros((55, 3, 9)), "kintree_table": np.zeros((2, 55), np.int64),
    },
    "tree_flat": {
        "J_regressor": np.eye(55), "v_template": np.zeros((55, 3)),
        "shapedirs": np.zeros((55, 3, 9)), "kintree_table": np.zeros(55, np.int64),
    },
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
def test_bad_body_models_are_refused(name, tmp_path):
    path = tmp_path / "SMPLX_NEUTRAL.npz"
    path.write_bytes(npz(**BODIES[name]))
    with bounded_memory(), pytest.raises(UserError) as caught:
        SmplJoints.load(path)
    check_line(str(caught.value), ["SMPLX_NEUTRAL.npz"])
