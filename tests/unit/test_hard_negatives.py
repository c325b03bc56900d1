"""Perturbed clips are what their joints say, and count only against captions that they belie."""

import numpy as np
import pytest
import torch

from evaluation.evaluators.hard_negatives import (
    LONGEST_PIECE,
    HardNegatives,
    mirrored,
    names_one_side,
    reversed_in_time,
    shuffled,
)
from motiongpt.data.statistics import channel_groups
from motiongpt.data.synthetic import SyntheticSource
from motiongpt.motion.features import joints_to_features
from motiongpt.motion.skeleton import HUMANML3D

STD = np.ones(HUMANML3D.n_features, np.float32)


@pytest.fixture(scope="module")
def clips():
    """Joints of clips that walk, turn and move their arms."""
    source = SyntheticSource(clips=12, seed=3)
    return [clip.joints for clip in source.clips() if clip.joints is not None][:6]


def features(joints):
    return joints_to_features(torch.as_tensor(joints), HUMANML3D).numpy()


def swapped(joints):
    names = HUMANML3D.joint_names
    sides = {"left": "right", "right": "left"}
    other = [
        names.index("_".join([sides.get(part, part) for part in name.split("_")])) for name in names
    ]
    return joints[:, other] * np.array([-1, 1, 1], joints.dtype)


def test_a_mirrored_clip_is_that_of_mirrored_joints(clips):
    turn, root, height, positions, rotations, velocities, contacts = channel_groups(HUMANML3D)
    for joints in clips:
        found, expected = mirrored(features(joints), HUMANML3D), features(swapped(joints))
        # The target skeleton's legs differ by 7 mm, and are not exchanged with the clip's.
        for group, error in (
            (turn, 0.015),
            (root, 0.002),
            (height, 0.006),
            (positions, 0.03),
            (rotations, 0.06),
            (velocities, 0.006),
        ):
            np.testing.assert_allclose(found[:, group], expected[:, group], atol=error)
        assert (found[:, contacts] == expected[:, contacts]).mean() > 0.98
        np.testing.assert_array_equal(mirrored(found, HUMANML3D), features(joints))


def test_a_reversed_clip_is_that_of_joints_backwards(clips):
    turn, root, height, positions, _, velocities, contacts = channel_groups(HUMANML3D)
    for joints in clips:
        found = reversed_in_time(features(joints), HUMANML3D)
        # The last frame has no row: backwards, it is the first, and all begins one later.
        expected = features(joints[:-1][::-1].copy())
        assert found.shape == expected.shape
        for group, error in ((root, 1e-4), (height, 1e-6), (positions, 0.02), (velocities, 2e-4)):
            np.testing.assert_allclose(found[:, group], expected[:, group], atol=error)
        # The heading of a first frame is set to +Z, and what it was is made up for in its turn.
        np.testing.assert_allclose(found[1:-1, turn], expected[1:-1, turn], atol=1e-4)
        np.testing.assert_array_equal(found[:, contacts], expected[:, contacts])


def test_a_shuffled_clip_has_the_same_frames_in_another_order(clips):
    clip = features(clips[0])
    rng = np.random.default_rng(0)
    for _ in range(8):
        made = shuffled(clip, rng)
        assert made.shape == clip.shape and not np.array_equal(made, clip)
        np.testing.assert_array_equal(np.sort(made, axis=0), np.sort(clip, axis=0))


@pytest.mark.parametrize(
    ("caption", "one"),
    [
        ("a person raises the left arm", True),
        ("Someone turns RIGHT", True),
        ("a man walks leftwards", True),
        ("a person turns clockwise", True),
        ("a person turns counter-clockwise", True),
        ("walks in a circle anticlockwise", True),
        ("a person waves", False),
        ("raises the left and then the right arm", False),
        ("turns clockwise, then counterclockwise", False),
        ("a person stands upright", False),
        ("sits down right away", False),
    ],
)
def test_a_caption_names_one_side(caption, one):
    assert names_one_side(caption) is one


def walking(along=0.0, across=0.0, turn=0.0, rise=0.0, frames=40):
    """Features that differ from frame to frame, with these sums."""
    rng = np.random.default_rng(1)
    clip = rng.normal(size=(frames, HUMANML3D.n_features)).astype(np.float32)
    for channel, total in ((0, turn / 2), (1, across), (2, along)):
        clip[:, channel] = total / frames
    clip[:, 3] = 0.9 + rise * np.linspace(0, 1, frames)
    return clip


@pytest.mark.parametrize(
    ("kind", "clip", "caption", "wrong"),
    [
        ("shuffled", walking(), "a person waves", True),
        ("shuffled", np.ones((40, 263), np.float32), "a person stands", False),
        ("shuffled", walking(frames=2 * LONGEST_PIECE - 1), "a person waves", False),
        ("mirrored", walking(), "a person waves", False),
        ("mirrored", walking(), "a person waves the left hand", True),
        ("mirrored", walking(), "waves the left hand and the right one", False),
        ("reversed", walking(), "a person waves", False),
        ("reversed", walking(along=2.0), "a person walks", True),
        ("reversed", walking(along=-2.0), "a person walks", True),
        ("reversed", walking(rise=-0.4), "a person sits down", True),
        ("reversed", walking(across=2.0), "a person steps sideways", False),
        ("reversed", walking(across=2.0), "a person steps to the left", True),
        ("reversed", walking(turn=3.0), "a person turns around", False),
        ("reversed", walking(turn=3.0), "a person turns left", True),
        ("reversed", walking(), "a person waves, then claps", True),
    ],
)
def test_a_perturbed_clip_counts_where_the_caption_is_not_true_of_it(kind, clip, caption, wrong):
    negatives = HardNegatives([kind], HUMANML3D, STD)
    made, found = negatives.draw(clip, caption, np.random.default_rng(0))
    assert found == (kind if wrong else None)
    assert wrong or kind == "shuffled" or made is clip


def test_every_kind_that_fits_is_drawn_and_none_makes_none():
    clip, rng = walking(along=2.0), np.random.default_rng(0)
    negatives = HardNegatives(["shuffled", "reversed", "mirrored"], HUMANML3D, STD)
    made = {negatives.draw(clip, "walks left", rng)[0].tobytes() for _ in range(40)}
    assert reversed_in_time(clip, HUMANML3D).tobytes() in made
    assert mirrored(clip, HUMANML3D).tobytes() in made
    assert len(made) > 3, "and many orders"
    none = HardNegatives([], HUMANML3D, STD)
    assert none.draw(clip, "walks left", rng) == (clip, None)
