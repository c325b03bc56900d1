"""The synthetic source: what captions say is measured on the joints."""

import re
from functools import cache

import numpy as np
import pytest

from motiongpt.data.clip import Clip, MotionSource
from motiongpt.data.synthetic import SyntheticSource
from motiongpt.data.synthetic.action import SIDES, discover
from motiongpt.data.synthetic.compose import Scene
from motiongpt.data.synthetic.words import Words, progressive
from motiongpt.errors import UserError
from motiongpt.motion.skeleton import HUMANML3D

J = {name: index for index, name in enumerate(HUMANML3D.joint_names)}
CLIPS = 120
NUMBERS = {"once": 1, "one": 1, "twice": 2, "two": 2, "three": 3, "four": 4}
ON_FLOOR = 0.012  # metres: a toe this low stands


@cache
def scenes() -> tuple[Scene, ...]:
    """Clips of all actions, in turn."""
    source = SyntheticSource(clips=CLIPS, seed=3)
    return tuple(source.scene(index) for index in range(CLIPS))


@cache
def alone(action: str) -> tuple[Scene, ...]:
    """Clips that show that action once and nothing else."""
    source = SyntheticSource(clips=14, seed=11, actions=[action])
    drawn = (source.scene(index) for index in range(len(source)))
    return tuple(scene for scene in drawn if len(scene.segments) == 1)


def axes(joints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors (T, 3) to the person's left and ahead, both level."""
    left = joints[:, J["left_hip"]] - joints[:, J["right_hip"]]
    left = left * [1.0, 0.0, 1.0]
    left /= np.linalg.norm(left, axis=1, keepdims=True)
    return left, np.cross(left, [0.0, 1.0, 0.0])


def toes(scene: Scene) -> np.ndarray:
    """(T, 2, 3) left and right toe."""
    return scene.joints[:, [J["left_foot"], J["right_foot"]]].astype(float)


def runs(flags: np.ndarray) -> list[slice]:
    """The stretches of a (T,) array that are true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(int), [0]])))
    return [slice(start, end) for start, end in edges.reshape(-1, 2)]


def named(source: SyntheticSource, caption: str) -> set[str]:
    """The actions whose words match a caption."""
    return {
        label
        for label, patterns in source.action_words.items()
        if any(re.search(pattern, caption.lower()) for pattern in patterns)
    }


def shown(scene: Scene) -> set[str]:
    """The actions of a clip."""
    return {segment.action for segment in scene.segments}


def test_another_frame_rate_is_the_same_motion():
    usual, resampled = SyntheticSource(clips=3, seed=1), SyntheticSource(clips=3, seed=1, fps=30.0)
    for one, other in zip(usual.clips(), resampled.clips(), strict=True):
        assert len(other.joints) == (len(one.joints) - 1) * 3 // 2 + 1
        assert other.joints.dtype == np.float32 and other.captions == one.captions
        np.testing.assert_allclose(other.joints[::3], one.joints[::2], atol=1e-6)
    with pytest.raises(UserError, match="data.fps=0: expected a number above zero"):
        SyntheticSource(fps=0)


def test_keeps_the_protocol_of_sources():
    source = SyntheticSource(clips=25, seed=1)
    assert isinstance(source, MotionSource)
    clips = list(source.clips())
    assert all(isinstance(clip, Clip) for clip in clips)
    assert len({clip.name for clip in clips}) == len(clips) == len(source) == 25
    assert source.skeleton == HUMANML3D and source.fps == 20.0
    for split, count in source.expected_counts.items():
        assert sum(clip.split == split for clip in clips) == count
    for clip in clips:
        assert clip.joints.dtype == np.float32 and clip.joints.shape[1:] == (22, 3)
        assert clip.features is None
        assert len({caption.text for caption in clip.captions}) == len(clip.captions) >= 2
        assert clip.labels and set(clip.labels) <= set(source.action_words)


def test_same_seed_same_clips_whatever_the_number_of_clips():
    first, second = SyntheticSource(clips=30, seed=5), SyntheticSource(clips=300, seed=5)
    for index in (0, 7, 19):
        one, other = first.scene(index), second.scene(index)
        np.testing.assert_array_equal(one.joints, other.joints)
        assert one.captions == other.captions


def test_another_seed_gives_another_clip():
    one, other = SyntheticSource(seed=5).scene(0), SyntheticSource(seed=6).scene(0)
    assert one.captions != other.captions
    assert one.joints.shape != other.joints.shape or not np.allclose(one.joints, other.joints)


def test_a_dozen_actions_each_shown():
    known = set(discover())
    assert len(known) >= 12
    assert set().union(*map(shown, scenes())) == known


def test_some_clips_show_two_actions():
    part = np.mean([len(scene.segments) == 2 for scene in scenes()])
    assert 0.1 < part < 0.4


def test_captions_name_the_actions_shown_and_no_other():
    source = SyntheticSource()
    for scene in scenes():
        for caption in scene.captions:
            found, true = named(source, caption), shown(scene)
            assert found >= true if len(scene.segments) == 2 else found == true, caption


@pytest.mark.parametrize("action", list(discover()))
def test_every_phrase_names_its_action_alone(action: str):
    source, performed = SyntheticSource(), discover()[action]
    rng = np.random.default_rng(2)
    words = Words(rng)
    for _ in range(40):
        phrases = performed.phrases(performed.draw(rng), words)
        for phrase in phrases:
            for caption in (words.sentence([phrase]), words.sentence([phrase])):
                assert named(source, caption) == {action}, caption
                assert not re.search(r"[<>{}]|  ", caption), caption


def test_progressive_forms():
    found = [progressive(verb) for verb in ("hop", "sidestep", "lunge", "kick", "sit", "spin")]
    assert found == ["hopping", "sidestepping", "lunging", "kicking", "sitting", "spinning"]


def test_lengths():
    for scene in scenes():
        assert 40 <= len(scene.joints) - 1 <= 196, scene.captions


def test_bones_keep_their_lengths():
    parents = list(HUMANML3D.parents)[1:]
    for scene in scenes():
        bones = np.linalg.norm(scene.joints[:, 1:] - scene.joints[:, parents], axis=-1)
        error = np.abs(bones - np.asarray(HUMANML3D.bone_lengths)[1:]).max()
        assert error < 1e-4, scene.captions


def test_nothing_is_below_the_floor_and_somebody_stands_on_it():
    for scene in scenes():
        height = scene.joints[..., 1].min(axis=1)
        assert height.min() > -0.01, scene.captions
        assert np.mean(height < ON_FLOOR) > 0.3, scene.captions


def test_standing_feet_do_not_slide():
    for scene in scenes():
        for toe in toes(scene).transpose(1, 0, 2):
            for stance in runs(toe[:, 1] < ON_FLOOR):
                # its first and last frame may still, or already, be in motion
                place = toe[stance][1:-1, [0, 2]]
                if len(place) > 1:
                    drift = np.linalg.norm(place - place[0], axis=1).max()
                    assert drift < 0.02, (drift, scene.captions)


def test_no_joint_is_faster_than_people_are():
    for scene in scenes():
        speed = np.linalg.norm(np.diff(scene.joints, axis=0), axis=-1).max() * 20.0
        # the swinging foot of a sprinter is about twice as fast as the sprinter
        limit = 13.0 if "run" in shown(scene) else 8.5
        assert speed < limit, (speed, scene.captions)


def test_knees_bend_forward_only():
    for scene in scenes():
        joints = scene.joints.astype(float)
        left = joints[:, J["left_hip"]] - joints[:, J["right_hip"]]
        left /= np.linalg.norm(left, axis=1, keepdims=True)
        for side in SIDES:
            hip, knee, ankle = (joints[:, J[f"{side}_{part}"]] for part in ("hip", "knee", "ankle"))
            thigh, shin = knee - hip, ankle - knee
            assert (np.cross(thigh, shin) * left).sum(axis=1).min() > -0.01, scene.captions


def test_splits_are_80_5_15():
    counts = SyntheticSource(clips=4000).expected_counts
    assert sum(counts.values()) == 4000
    for split, part in {"train": 0.80, "val": 0.05, "test": 0.15}.items():
        assert abs(counts[split] / 4000 - part) < 0.02, split


@pytest.mark.parametrize("action", ["walk", "run", "walk_backward", "jump_forward"])
def test_distance_told_is_distance_travelled(action: str):
    sign = -1.0 if action == "walk_backward" else 1.0
    for scene in alone(action):
        left, ahead = axes(scene.joints)
        travel = (toes(scene)[-1] - toes(scene)[0]).mean(axis=0)
        assert sign * travel @ ahead[0] == pytest.approx(scene.segments[0].parameters.distance, 0.1)
        assert abs(travel @ left[0]) < 0.1


@pytest.mark.parametrize("action", ["walk", "march", "sidestep"])
def test_steps_told_are_steps_taken(action: str):
    feet = 2 if action == "sidestep" else 1  # each step to the side takes both feet
    for scene in alone(action):
        taken = sum(len(runs(height > 0.03)) for height in toes(scene)[..., 1].T)
        assert taken == feet * scene.segments[0].parameters.count, scene.captions


def test_sidestep_goes_to_the_side_told():
    for scene in alone("sidestep"):
        parameters = scene.segments[0].parameters
        left, ahead = axes(scene.joints)
        travel = scene.joints[-1, 0] - scene.joints[0, 0]
        sign = 1.0 if parameters.side == "left" else -1.0
        assert sign * travel @ left[0] == pytest.approx(parameters.distance, abs=0.1)
        assert abs(travel @ ahead[0]) < 0.1
        assert all(parameters.side in caption for caption in scene.captions)


def test_turn_is_by_the_angle_told_to_the_side_told():
    for scene in alone("turn"):
        parameters = scene.segments[0].parameters
        _, ahead = axes(scene.joints)
        heading = np.unwrap(np.arctan2(ahead[:, 0], ahead[:, 2]))
        sign = 1.0 if parameters.side == "left" else -1.0  # to the left is from +Z to +X
        turned = sign * np.rad2deg(heading[-1] - heading[0])
        assert turned == pytest.approx(parameters.degrees, abs=5.0)
        other = SIDES[1 - SIDES.index(parameters.side)]
        for caption in scene.captions:
            assert not re.search(rf"\b{other}\b", caption)
            assert ("counterclockwise" in caption) <= (parameters.side == "left")


@pytest.mark.parametrize("action", ["jump", "jump_forward", "hop"])
def test_flights_told_are_flights_flown(action: str):
    for scene in alone(action):
        height = toes(scene)[..., 1].min(axis=1)
        assert len(runs(height > 0.05)) == scene.segments[0].parameters.count, scene.captions


def test_jumps_fall_as_stones_do():
    for scene in alone("jump"):
        flights = runs(toes(scene)[..., 1].min(axis=1) > 0.01)
        for flight in flights:
            fall = np.diff(scene.joints[flight, 0, 1].astype(float), 2) * 400.0
            np.testing.assert_allclose(fall, -9.81, atol=0.3)


@pytest.mark.parametrize("action", ["kick", "jump", "squat"])
def test_numbers_in_captions_are_the_count(action: str):
    performed, rng = discover()[action], np.random.default_rng(4)
    words, told = Words(rng), 0
    for _ in range(60):
        parameters = performed.draw(rng)
        for phrase in performed.phrases(parameters, words):
            for number in re.findall(rf"\b(?:\d+|{'|'.join(NUMBERS)})\b", phrase):
                assert (NUMBERS.get(number) or int(number)) == parameters.count, phrase
                told += 1
    assert told > 200


@pytest.mark.parametrize(("action", "reach"), [("kick", 0.25), ("lunge", 0.08)])
def test_the_foot_told_is_the_foot_that_moves(action: str, reach: float):
    for scene in alone(action):
        side = SIDES.index(scene.segments[0].parameters.side)
        height = toes(scene)[..., 1].max(axis=0)
        assert height[side] > reach and height[1 - side] < 0.02, scene.captions


def test_high_kicks_are_higher_than_low_ones():
    tops: dict[str, list[float]] = {"low": [], "high": []}
    for scene in alone("kick"):
        tops[scene.segments[0].parameters.height].append(float(toes(scene)[..., 1].max()))
    assert max(tops["low"]) < 0.6 and min(tops["high"]) > 0.75


def test_a_hop_is_on_the_leg_told():
    for scene in alone("hop"):
        side = SIDES.index(scene.segments[0].parameters.side)
        height = toes(scene)[..., 1].max(axis=0)
        assert height[side] < 0.2 < height[1 - side], scene.captions


def test_who_sits_has_level_thighs_and_stands_up_only_if_told():
    for scene in alone("sit"):
        pelvis = scene.joints[:, 0, 1]
        seated = scene.joints[pelvis.argmin()]
        for side in SIDES:
            assert abs(seated[J[f"{side}_hip"], 1] - seated[J[f"{side}_knee"], 1]) < 0.05
        rises = scene.segments[0].parameters.rises
        assert (pelvis[-1] > 0.9) == rises
        for caption in scene.captions:
            assert bool(re.search(r"\bup\b|to \w+ feet", caption)) == rises, caption


def test_squats_are_as_deep_and_as_many_as_told():
    for scene in alone("squat"):
        parameters = scene.segments[0].parameters
        pelvis = scene.joints[:, 0, 1]
        low = pelvis[0] - parameters.metres
        assert pelvis.min() == pytest.approx(low, abs=0.03)
        assert len(runs(pelvis < 0.5 * (pelvis[0] + low))) == parameters.count


def test_wrong_arguments_say_how_to_mend_them():
    with pytest.raises(UserError, match="unknown action 'fly'; choose among"):
        SyntheticSource(actions=["walk", "fly"])
    with pytest.raises(UserError, match="list of actions is empty"):
        SyntheticSource(actions=[])
    with pytest.raises(UserError, match="0 is not a number of clips"):
        SyntheticSource(clips=0)


def test_any_number_of_workers_makes_the_same_clips():
    alone, shared = (list(SyntheticSource(clips=5, seed=2, workers=n).clips()) for n in (0, 2))
    for one, other in zip(alone, shared, strict=True):
        assert (one.name, one.captions, one.labels) == (other.name, other.captions, other.labels)
        np.testing.assert_array_equal(one.joints, other.joints)


def test_fewer_than_no_workers_are_refused():
    with pytest.raises(UserError, match="workers=-1"):
        SyntheticSource(workers=-1)
