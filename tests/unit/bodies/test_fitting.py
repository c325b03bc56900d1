"""Fits: what they must not depend on, and the smplx package beside what is computed here."""

import numpy as np
import pytest
import torch

from evaluation.external.forms.base import Options
from motiongpt.bodies.base import BodyMotion, mesh_of
from motiongpt.bodies.fitting import FitOptions, fit
from motiongpt.bodies.results import amass_arrays
from motiongpt.bodies.smpl_body import load_smpl
from motiongpt.bodies.smpl_joints import SmplJoints
from motiongpt.bodies.tree import N_JOINTS, PARENTS, offsets_of
from motiongpt.errors import UserError
from tests.unit.bodies.stand_ins import made_up_clip, real_clip, write_model

FEW = FitOptions(steps=15)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("body_models")
    for kind in ("smpl", "smplh", "smplx"):
        write_model(folder, kind)
    return folder


def test_sixty_frames_of_a_real_person_by_a_stand_in_for_smpl(models, tmp_path):
    body = load_smpl(models, "smpl")
    (fitted,) = fit(body, [real_clip(tmp_path)], 20.0)
    assert fitted.error < 0.030
    assert fitted.motion.shape.shape == (10,)
    assert mesh_of(body, fitted.motion).shape == (60, 24 * 8, 3)


def test_smplx_poses_the_joints_that_were_fitted(models):
    body = load_smpl(models, "smplx")
    (fitted,) = fit(body, [made_up_clip()], 20.0, FEW)
    mesh = mesh_of(body, fitted.motion)
    joints = mesh.reshape(len(mesh), -1, 8, 3).mean(2)[:, :N_JOINTS]
    assert np.linalg.norm(joints - made_up_clip(), axis=-1).mean() == pytest.approx(
        fitted.error, abs=1e-5
    )
    rest = body.rest_joints(torch.from_numpy(fitted.motion.shape)[None])
    bones = np.linalg.norm(joints[:, 1:] - joints[:, PARENTS[1:]], axis=-1)
    assert np.abs(bones - offsets_of(rest)[0].norm(dim=-1).numpy()).max() < 1e-5


@pytest.mark.parametrize("kind", ["smplh", "smplx"])
def test_what_is_written_is_read_as_amass(models, tmp_path, kind):
    from evaluation.external.forms.smpl import Smpl

    body = load_smpl(models, kind)
    (fitted,) = fit(body, [made_up_clip()], 20.0, FEW)
    path = tmp_path / "clip.npz"
    np.savez(path, **amass_arrays(body, fitted.motion))
    form = Smpl(Options(body_models=models), None)
    joints, rate = form.raw(path)
    assert rate == 20.0 and form.up_axis(path) == "Z"
    upright = joints[..., [0, 2, 1]] * [1, 1, -1]
    mesh = mesh_of(body, fitted.motion)
    wanted = mesh.reshape(len(mesh), -1, 8, 3).mean(2)[:, :N_JOINTS]
    assert np.abs(upright - wanted).max() < 1e-4


def test_a_clip_gets_the_same_whatever_it_is_fitted_with(models):
    body = load_smpl(models, "smpl")
    clips = [made_up_clip(12, 0), made_up_clip(7, 1), made_up_clip(20, 2)]
    together = fit(body, clips, 20.0, FEW)
    for clip, one in zip(clips, together, strict=True):
        (alone,) = fit(body, [clip], 20.0, FEW)
        assert np.abs(alone.motion.rotations - one.motion.rotations).max() < 1e-3
        assert np.abs(alone.motion.shape - one.motion.shape).max() < 1e-3


def test_a_single_frame_and_a_turned_person_can_be_fitted(models):
    body = load_smpl(models, "smpl")
    clip = made_up_clip()
    turned = clip[..., [2, 1, 0]] * np.float32([1, 1, -1]) + np.float32([5, 0, 3])
    one, other = fit(body, [clip[:1], turned], 20.0, FEW)
    assert one.motion.frames == 1 and one.error < 0.01 and other.error < 0.01


def test_the_family_s_own_translation_is_from_the_rest_pose(models):
    body = load_smpl(models, "smpl")
    still = BodyMotion(
        np.zeros(10, np.float32),
        np.zeros((1, N_JOINTS, 3), np.float32),
        body.rest_joints(torch.zeros(1, 10))[0, :1].numpy(),
        20.0,
    )
    held = amass_arrays(body, still)
    assert held["poses"].shape == (1, 72)
    upright = held["trans"] + still.root
    assert np.allclose(upright, still.root[:, [0, 2, 1]] * [1, -1, 1], atol=1e-6)


def test_models_that_are_absent_or_of_another_kind_are_one_line(models, tmp_path):
    with pytest.raises(UserError, match=r"needs smpl/SMPL_NEUTRAL.npz, which https://smpl\.is"):
        load_smpl(None, "smpl")
    with pytest.raises(UserError, match=r"has none \(looked for smplx/SMPLX_MALE.npz"):
        load_smpl(models, "smplx", "male")
    (tmp_path / "smpl").mkdir()
    (tmp_path / "smpl" / "SMPL_NEUTRAL.pkl").write_bytes(b"cos\nsystem\n(S'exit 1'\ntR.")
    with pytest.raises(UserError, match=r"a pickle, .* not opened; convert it to smpl/SMPL"):
        load_smpl(tmp_path, "smpl")
    write_model(tmp_path, "smplx").rename(tmp_path / "smpl" / "SMPL_NEUTRAL.npz")
    with pytest.raises(UserError, match="no smpl model") as error:
        load_smpl(tmp_path, "smpl")
    assert "\n" not in str(error.value)
    np.savez(tmp_path / "smpl" / "SMPL_NEUTRAL.npz", v_template=np.zeros((4, 3)))
    with pytest.raises(UserError, match="no shapedirs, posedirs"):
        load_smpl(tmp_path, "smpl")
    assert isinstance(SmplJoints.load(models / "smplx/SMPLX_NEUTRAL.npz"), SmplJoints)
