import torch

from motiongpt.motion.anchor import arrive, root_path
from motiongpt.motion.recover import features_to_joints
from motiongpt.motion.skeleton import HUMANML3D


def features(seed, frames=60):
    made = torch.randn(frames, 263, generator=torch.Generator().manual_seed(seed)) * 0.05
    return made.double()


def test_arrives_where_asked_and_changes_nothing_else():
    wanted, drifting = features(0), features(1)
    heading, place = root_path(wanted)
    mixed = torch.cat([wanted[:15], drifting[15:45], wanted[45:]])
    fixed = arrive(mixed, 15, 45, heading[45], place[45, 0::2])
    joints, true = (features_to_joints(value, HUMANML3D) for value in (fixed, wanted))
    assert (joints[45:] - true[45:]).abs().max() < 1e-9
    assert (joints[:15] - true[:15]).abs().max() < 1e-9
    changed = (fixed - mixed).abs() > 0
    assert not changed[:15].any() and not changed[45:].any() and not changed[:, 3:].any()
    assert (features_to_joints(mixed, HUMANML3D)[45:] - true[45:]).abs().max() > 0.01


def test_nothing_to_change():
    made = features(2)
    assert torch.equal(arrive(made, 10, 10, torch.tensor(0.0), torch.zeros(2)), made)
