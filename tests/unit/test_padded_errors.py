"""Joint errors over padded batches, as released code computes them; exact in tests/golden."""

import numpy as np
import pytest
import torch

from evaluation.case import Case, Scorers, joints_of
from evaluation.metrics.base import Batch
from evaluation.metrics.joint_errors import acceleration_error, mpjpe
from evaluation.metrics.padded_errors import BATCH_SIZE, PaddedDisplacement, PaddedJointError
from motiongpt.errors import UserError
from motiongpt.motion.skeleton import HUMANML3D

MEAN = np.random.default_rng(0).normal(size=263).astype(np.float32) / 50
SCORERS = Scorers(HUMANML3D, 20.0, {}, mean=MEAN)


def make_clip(frames, seed, given=0, **other):
    draw = np.random.default_rng(seed)
    reference = draw.normal(size=(frames, 263)).astype(np.float32) / 10
    found = reference + draw.normal(size=reference.shape).astype(np.float32) / 50
    settings = {"name": f"clip {seed}", "labels": (), "captions": (), "caption": "", "prompt": ""}
    settings |= {"reference": reference, "given": np.arange(frames) < given, "text": ""}
    return Case(**(settings | {"features": found} | other))


def number(metric, cases, positions=None):
    metric.update(Batch(cases=cases, scorers=SCORERS, positions=positions))
    (value,) = metric.compute().values()
    return value.item()


def padded(features, frames):
    padding = np.repeat(MEAN[None], frames - len(features), axis=0)
    return torch.from_numpy(joints_of(np.concatenate([features, padding]), HUMANML3D))


def test_padding_counts_in_the_sum_and_not_in_the_number_of_frames():
    clips = [make_clip(40, 0), make_clip(24, 1)]
    pairs = [(padded(clip.features, 40), padded(clip.reference, 40)) for clip in clips]
    expected = sum(mpjpe(*pair).sum() for pair in pairs) / 64
    assert number(PaddedJointError("mpjpe"), clips) == pytest.approx(expected.item(), rel=1e-5)
    expected = sum(acceleration_error(*pair).sum() for pair in pairs) / (64 - 4)
    found = number(PaddedJointError("acceleration_error"), clips)
    assert found == pytest.approx(expected.item(), rel=1e-5)


def test_displacement_runs_to_the_end_of_the_batch_and_a_bridge_does_not():
    clips = [make_clip(40, 0, given=8), make_clip(24, 1, given=4)]
    norms = [
        (padded(clip.features, 40) - padded(clip.reference, 40)).flatten(1).norm(dim=-1)
        for clip in clips
    ]
    expected = (norms[0][8:].mean() + norms[1][4:].mean()) / 2
    assert number(PaddedDisplacement("ade"), clips) == pytest.approx(expected.item(), rel=1e-5)
    expected = (norms[0][-1] + norms[1][-1]) / 2
    assert number(PaddedDisplacement("fde"), clips) == pytest.approx(expected.item(), rel=1e-5)
    both_ends = (np.arange(24) < 6) | (np.arange(24) >= 18)
    bridge = make_clip(24, 1, given=both_ends)
    bridge.__dict__["given"] = both_ends
    found = number(PaddedDisplacement("ade"), [make_clip(40, 0, given=40), bridge])
    assert found == pytest.approx(norms[1][6:18].mean().item(), rel=1e-5)


def test_a_batch_is_32_clips_of_near_length_in_whatever_order_they_come():
    lengths = [30] * BATCH_SIZE + [50]
    clips = [make_clip(frames, seed) for seed, frames in enumerate(lengths)]
    alone = number(PaddedJointError("mpjpe"), clips[:BATCH_SIZE])
    longest = number(PaddedJointError("mpjpe"), clips[BATCH_SIZE:])
    expected = (alone * 30 * BATCH_SIZE + longest * 50) / (30 * BATCH_SIZE + 50)
    order = np.random.default_rng(1).permutation(len(clips))
    positions = torch.from_numpy(order)
    found = number(PaddedJointError("mpjpe"), [clips[position] for position in order], positions)
    assert found == pytest.approx(expected, rel=1e-6)
    # One more short clip drives another one into the batch of the long clip.
    more = number(PaddedJointError("mpjpe"), [make_clip(30, 99), *clips])
    assert more > expected


def test_an_answer_of_another_length_is_cut_or_filled_with_the_mean_pose():
    clip = make_clip(40, 0)
    longer = np.concatenate([clip.features, 9 + clip.features])
    same = make_clip(40, 0, features=longer)
    expected = number(PaddedJointError("mpjpe"), [clip])
    assert number(PaddedJointError("mpjpe"), [same]) == expected
    nothing = make_clip(40, 0, features=longer[:0])
    pose = make_clip(40, 0, features=np.repeat(MEAN[None], 40, axis=0))
    found = number(PaddedJointError("mpjpe"), [nothing])
    assert found == number(PaddedJointError("mpjpe"), [pose]) != expected


@pytest.mark.parametrize(
    ("clip", "scorers", "words"),
    [
        (make_clip(9, 0), Scorers(HUMANML3D, 20.0, {}), "needs the mean pose"),
        (make_clip(401, 3), SCORERS, "clip 3 has 401 frames, more than 400"),
        (make_clip(9, 5, features=np.full((9, 263), np.nan, np.float32)), SCORERS, "clip 5 gives NaN"),
    ],
)  # fmt: skip
def test_what_cannot_be_padded_is_said_in_one_line(clip, scorers, words):
    with pytest.raises(UserError, match=words) as raised:
        PaddedJointError("mpjpe").update(Batch(cases=[clip], scorers=scorers))
    assert "\n" not in str(raised.value)


def test_a_baseline_of_joints_holds_its_last_pose():
    clip = make_clip(20, 0, given=2)
    joints = clip.reference_joints.copy()
    made = make_clip(20, 0, given=2, known_joints=joints)
    wanted = padded(clip.reference, 30)
    found = torch.from_numpy(np.concatenate([joints, np.repeat(joints[-1:], 10, axis=0)]))
    expected = (found - wanted).flatten(1).norm(dim=-1)
    longer = make_clip(30, 1, given=30)
    measured = number(PaddedDisplacement("ade"), [made, longer])
    assert measured == pytest.approx(expected[2:].mean().item(), rel=1e-5)
