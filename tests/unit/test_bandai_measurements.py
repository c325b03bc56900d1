"""measure() on bodies whose movement is known: sides, axes and signs can't be swapped unseen."""

import numpy as np
import pytest

from motiongpt.data.bandai_namco.measurements import SIDES, measure
from motiongpt.motion.skeleton import HUMANML3D
from tests.unit.fake_source import rest_pose

FPS = HUMANML3D.fps
JOINT = {name: index for index, name in enumerate(HUMANML3D.joint_names)}
OTHER = {"left": "right", "right": "left"}
SIGN = {"left": 1.0, "right": -1.0}  # the person's left is +X, facing +Z
TURNS = (0.0, 40.0, 90.0, -120.0)


def body(frames=141):
    """(T, 22, 3) metres: standing, both arms hanging down beside the hips."""
    joints = np.tile(rest_pose().astype(np.float64), (frames, 1, 1))
    for side in SIDES:
        shoulder = joints[0, JOINT[f"{side}_shoulder"]]
        for part, below in (("elbow", 0.26), ("wrist", 0.5)):
            joints[:, JOINT[f"{side}_{part}"]] = shoulder + np.array([0.0, -below, 0.0])
    return joints


def facing(joints, degrees):
    """The same seen from elsewhere: everything turned to the left by `degrees`, or by one a frame."""
    angle = np.broadcast_to(np.radians(degrees), len(joints))[:, None]
    x, z = joints[..., 0].copy(), joints[..., 2].copy()
    turned = joints.copy()
    turned[..., 0] = x * np.cos(angle) + z * np.sin(angle)
    turned[..., 2] = z * np.cos(angle) - x * np.sin(angle)
    return turned


def mirrored(joints):
    """Left and right exchanged: the names of the joints, and the sign of X."""
    found = joints * np.array([-1.0, 1.0, 1.0])
    for index, name in enumerate(HUMANML3D.joint_names):
        if name.startswith("left_"):
            other = JOINT[name.replace("left_", "right_")]
            found[:, [index, other]] = found[:, [other, index]]
    return found


def waving(side, axis=0, times=5):
    """One hand held up beside the head, swung along `axis` so many times; the other hangs."""
    joints = body()
    shoulder = joints[0, JOINT[f"{side}_shoulder"]]
    phase = 2 * np.pi * times * np.arange(len(joints)) / len(joints)
    joints[:, JOINT[f"{side}_elbow"]] = shoulder + np.array([SIGN[side] * 0.2, -0.1, 0.0])
    joints[:, JOINT[f"{side}_wrist"]] = shoulder + np.array([SIGN[side] * 0.25, 0.4, 0.0])
    joints[:, JOINT[f"{side}_wrist"], axis] += 0.2 * np.sin(phase)
    return joints


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("turn", TURNS)
def test_a_hand_that_waves_is_counted_on_its_own_side(side, turn):
    found = measure(facing(waving(side), turn))
    assert found.swings == {side: 5, OTHER[side]: 0}
    assert found.busier_hand() == side
    assert found.wrist_above_shoulder[side] == pytest.approx(0.4)
    assert found.wrist_above_shoulder[OTHER[side]] == pytest.approx(-0.5)
    heights = body()[0, :, 1]
    for one, above in ((side, 0.4), (OTHER[side], -0.5)):
        head = heights[JOINT["head"]] - heights[JOINT[f"{one}_shoulder"]]
        assert found.wrist_above_head[one] == pytest.approx(above - head)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("turn", TURNS)
def test_a_swing_is_sideways(side, turn):
    """To and fro along the heading, and up and down, are none."""
    for axis in (1, 2):
        found = measure(facing(waving(side, axis=axis), turn))
        assert not found.swings[side], axis


def test_two_hands_that_wave_differently_keep_their_counts():
    joints = waving("left", times=4)
    for part in ("elbow", "wrist"):
        joints[:, JOINT[f"right_{part}"]] = waving("right", times=6)[:, JOINT[f"right_{part}"]]
    assert measure(joints).swings == {"left": 4, "right": 6}


@pytest.mark.parametrize("side", SIDES)
def test_a_lifted_hand_rises_on_its_own_side(side):
    joints = body()
    joints[:, JOINT[f"{side}_wrist"], 1] += np.linspace(0.0, 0.7, len(joints))
    found = measure(joints)
    assert found.wrist_rise == {side: pytest.approx(0.7), OTHER[side]: 0.0}
    assert found.busier_hand() == side


@pytest.mark.parametrize("degrees", [90.0, -90.0, 270.0, -60.0])
def test_turns_to_the_left_are_positive(degrees):
    steady = np.concatenate([np.zeros(20), np.linspace(0, degrees, 101), np.full(20, degrees)])
    assert measure(facing(body(), steady)).turn == pytest.approx(degrees, abs=1e-6)


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize(
    ("way", "direction"),
    [((0, 1), 0.0), ((1, 0), 90.0), ((-1, 0), -90.0), ((1, 1), 45.0), ((0.5, -0.866), 150.0)],
    ids=["ahead", "left", "right", "ahead and left", "back and left"],
)
def test_directions_are_the_persons_own(turn, way, direction):
    joints = body(61)
    joints[..., [0, 2]] += np.linspace(0, 3.0, 61)[:, None, None] * np.array(way)
    found = measure(facing(joints, turn))
    assert found.direction == pytest.approx(direction, abs=0.1)
    # Smoothed, which takes a little of both ends.
    assert found.distance == pytest.approx(3.0 * np.hypot(*way), rel=0.06)


@pytest.mark.parametrize("turn", TURNS)
def test_steps_part_the_ankles_along_the_heading(turn):
    joints, sideways = body(121), body(121)
    lead = 0.25 * np.sin(2 * np.pi * 3 * np.arange(121) / 120)
    for side in SIDES:
        joints[:, JOINT[f"{side}_ankle"], 2] += SIGN[side] * lead
        sideways[:, JOINT[f"{side}_ankle"], 0] += SIGN[side] * lead
    assert measure(facing(joints, turn)).steps == 6
    assert measure(facing(sideways, turn)).steps == 0


def test_what_is_mirrored_has_its_sides_and_signs_exchanged():
    joints = waving("left")
    joints[:, JOINT["left_wrist"], 1] += np.linspace(0, 0.1, 141)
    joints = facing(joints, np.linspace(0, 70, 141))
    joints[..., [0, 2]] += np.linspace(0, 1.0, 141)[:, None, None] * np.array([1.0, 1.0])
    one, other = measure(joints), measure(mirrored(joints))
    for key in ("swings", "wrist_rise", "wrist_above_head", "wrist_above_shoulder"):
        mine, theirs = getattr(one, key), getattr(other, key)
        assert mine["left"] != mine["right"]
        assert theirs == {side: pytest.approx(mine[OTHER[side]]) for side in SIDES}, key
    assert other.turn == pytest.approx(-one.turn) and one.turn > 60
    assert other.direction == pytest.approx(-one.direction) and one.direction != 0
