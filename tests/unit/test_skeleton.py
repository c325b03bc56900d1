import pytest
import torch

from motiongpt.errors import UserError
from motiongpt.motion.skeleton import HUMANML3D, KIT, SKELETONS, skeleton_by_name

EVERY = pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS)


def test_sizes_of_the_published_features():
    assert (HUMANML3D.n_joints, HUMANML3D.n_features, HUMANML3D.fps) == (22, 263, 20)
    assert (KIT.n_joints, KIT.n_features, KIT.fps) == (21, 251, 12.5)


@EVERY
def test_tables_have_one_entry_a_joint(skeleton):
    tables = (skeleton.parents, skeleton.raw_offsets, skeleton.bone_lengths)
    assert {len(table) for table in tables} == {skeleton.n_joints}
    assert len(set(skeleton.joint_names)) == skeleton.n_joints


@EVERY
def test_chains_follow_parents_and_reach_every_joint_once(skeleton):
    reached = []
    for chain in skeleton.chains:
        assert [skeleton.parents[joint] for joint in chain[1:]] == list(chain[:-1])
        reached += chain[1:]
    assert sorted(reached) == list(range(1, skeleton.n_joints))


@EVERY
def test_parents_come_before_their_children(skeleton):
    assert skeleton.parents[0] == -1
    assert all(0 <= parent < joint for joint, parent in enumerate(skeleton.parents) if joint)


@EVERY
def test_offsets_have_the_bones_lengths(skeleton):
    lengths = skeleton.offsets().norm(dim=-1)
    torch.testing.assert_close(lengths, torch.tensor(skeleton.bone_lengths))
    assert lengths[0] == 0 and (lengths[1:] > 0.03).all()


@EVERY
def test_sides_are_named_as_they_are_used(skeleton):
    names = skeleton.joint_names
    assert all(names[joint].startswith("left_") for joint in skeleton.feet_left)
    assert all(names[joint].startswith("right_") for joint in skeleton.feet_right)
    assert [names[joint] for joint in skeleton.face_joints] == [
        "right_hip",
        "left_hip",
        "right_shoulder",
        "left_shoulder",
    ]


def test_unknown_name_lists_the_known_ones():
    assert skeleton_by_name("kit") is KIT
    with pytest.raises(UserError, match="'smplx'; choose one of: humanml3d, kit"):
        skeleton_by_name("smplx")
