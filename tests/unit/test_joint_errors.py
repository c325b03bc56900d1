import numpy as np
import torch

from evaluation.metrics.joint_errors import acceleration_error, best_similarity, mpjpe, pa_mpjpe
from tests.shared import shared


def test_against_the_original_code():
    vectors = np.load(shared("parity", "metrics", "joints.npz"), allow_pickle=False)
    ref, pred, mirrored = (torch.from_numpy(vectors[name]) for name in ("ref", "pred", "mirrored"))

    def near(found, name, scale=1.0):
        np.testing.assert_allclose(found.numpy() / scale, vectors[name], atol=1e-5, rtol=1e-5)

    near(mpjpe(pred, ref), "mpjpe_root_aligned", 1000)
    near(mpjpe(pred, ref, align_root=False), "mpjpe_unaligned", 1000)
    near(pa_mpjpe(pred, ref), "pampjpe", 1000)
    near(pa_mpjpe(mirrored, ref), "pampjpe_mirrored", 1000)
    near(acceleration_error(pred, ref), "accel", 1000)
    scale, rotation, shift = best_similarity(pred, ref)
    near(scale, "pa_scale")
    near(rotation, "pa_R")
    near(shift[..., None], "pa_t")


def test_a_moved_turned_and_scaled_pose_is_the_same_pose():
    joints = torch.randn(5, 22, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    turn = torch.linalg.qr(torch.randn(3, 3, dtype=torch.float64))[0]
    turn = turn * torch.sign(torch.linalg.det(turn))
    assert pa_mpjpe(1.7 * joints @ turn.mT + 3, joints).max() < 1e-9
    assert mpjpe(joints + 3, joints).max() < 1e-9 and mpjpe(1.7 * joints, joints).min() > 1
    flipped = joints * torch.tensor([-1.0, 1, 1], dtype=torch.float64)
    assert pa_mpjpe(flipped, joints).min() > 1
