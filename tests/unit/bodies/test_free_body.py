"""The free body: it stands, its skin follows its joints, and gradients reach shape and pose."""

import numpy as np
import pytest
import torch

from motiongpt.bodies.base import mesh_of
from motiongpt.bodies.fitting import FitOptions, fit
from motiongpt.bodies.free_body import BUILD, STRETCH, FreeBody
from motiongpt.bodies.tree import HINGES, N_JOINTS, NAMES, PARENTS, offsets_of
from tests.unit.bodies.stand_ins import made_up_clip, real_clip


@pytest.fixture(scope="module")
def body():
    return FreeBody()


def test_it_stands_on_the_ground_and_its_left_is_at_plus_x(body):
    skin, joints = body.rest_vertices(torch.zeros(body.n_shape))
    assert abs(float(skin[:, 1].min())) < 0.01
    assert 1.5 < float(skin[:, 1].max()) < 1.9
    assert float(joints[NAMES.index("left_wrist"), 0]) > 0.3
    toes = skin[body.bones[:, 0] == NAMES.index("left_foot")]
    assert float(toes[:, 2].mean()) > float(joints[NAMES.index("left_ankle"), 2])  # faces +Z
    torch.testing.assert_close(body.weights.sum(1), torch.ones(len(body.weights)))
    corners = skin[body.faces].double()
    volume = torch.linalg.cross(corners[:, 1], corners[:, 2]).mul(corners[:, 0]).sum() / 6
    assert 0.04 < float(volume) < 0.09  # cubic metres of a person; triangles face outwards


def test_a_shape_makes_bones_longer_and_skin_follows(body):
    shape = torch.zeros(body.n_shape)
    mean = body.rest_vertices(shape)
    shape[:2] = 0.15 / STRETCH  # the thighs: joints 4 and 5 are the first that are stretched
    skin, joints = body.rest_vertices(shape)
    lengths = [offsets_of(one[1]).norm(dim=1) for one in (mean, (skin, joints))]
    ratio = lengths[1] / lengths[0]
    assert np.allclose(ratio[[3, 4]], np.exp(0.15)) and np.allclose(np.delete(ratio, [3, 4]), 1)
    shin = body.bones[:, 0] == 4
    moved = (skin - mean[0])[shin & (body.weights[:, 0] > 0.99)]
    assert float((moved.mean(0) - (joints - mean[1])[4]).norm()) < 0.02


def test_zero_rotations_are_the_rest_pose_and_a_turned_root_turns_all(body):
    shape = torch.linspace(-1, 1, body.n_shape)
    skin, joints = body.rest_vertices(shape)
    turns = torch.zeros(2, N_JOINTS, 3)
    turns[1, 0, 1] = torch.pi / 2  # about the vertical: +X goes to -Z
    posed = body.vertices(shape, turns, joints[:1].expand(2, 3))
    torch.testing.assert_close(posed[0], skin, atol=1e-5, rtol=0)
    away = skin - joints[0]
    turned = torch.stack([away[:, 2], away[:, 1], -away[:, 0]], dim=1) + joints[0]
    torch.testing.assert_close(posed[1], turned, atol=1e-5, rtol=0)


def test_a_build_changes_the_skin():
    slim, heavy = (
        FreeBody((0.0, weight, 0.0)).rest_vertices(torch.zeros(FreeBody.n_shape))[0]
        for weight in (-1.0, 1.0)
    )
    belly = ((slim[:, 1] - 1.05).abs() < 0.05) & (slim[:, 0].abs() < 0.1)
    assert BUILD[1] == "weight"
    assert float(heavy[belly, 2].max() - slim[belly, 2].max()) > 0.015


def test_gradients_reach_shape_and_pose(body):
    shape = torch.zeros(body.n_shape, requires_grad=True)
    turns = torch.zeros(1, N_JOINTS, 3, requires_grad=True)
    body.vertices(shape, turns, torch.zeros(1, 3)).square().sum().backward()
    assert bool((shape.grad.abs() > 0).all()) and bool(turns.grad.isfinite().all())
    assert bool((turns.grad[0].abs().sum(1) > 0).all())


def test_limbs_bend_the_right_way_and_joints_are_met(body):
    (fitted,) = fit(body, [made_up_clip()], 20.0, FitOptions(steps=30))
    assert fitted.error < 0.01
    bends = [fitted.motion.rotations[:, one.middle] @ axis.numpy()
             for one, axis in zip(HINGES, body.hinge_axes, strict=True)]  # fmt: skip
    bent = np.stack(bends, 1) + body.hinge_bends.numpy()
    assert (bent > 0.1).all() and (bent < 1.4).all()
    for hinge in HINGES:  # thighs and upper arms are not turned about themselves
        assert np.linalg.norm(fitted.motion.rotations[:, hinge.start], axis=-1).max() < 1.3


def test_sixty_frames_of_a_real_person(body, tmp_path):
    joints = real_clip(tmp_path)
    (fitted,) = fit(body, [joints], 20.0)
    assert fitted.error < 0.012  # asked for were 30 mm
    mesh = mesh_of(body, fitted.motion)
    assert mesh.shape == (60, 13524, 3) and np.isfinite(mesh).all()
    for joint in (4, 5, 18, 19, 15):  # skin lies about the joints that were asked for
        near = np.linalg.norm(mesh - joints[:, None, joint], axis=-1).min(1)
        assert near.max() < 0.12, NAMES[joint]
    turns = fitted.motion.rotations.reshape(60, N_JOINTS, 3)
    ends = [joint for joint in range(N_JOINTS) if joint not in PARENTS]
    assert not turns[:, ends].any()
