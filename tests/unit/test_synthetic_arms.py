"""Arm actions: what their captions say is measured on the joints."""

import re
from typing import Any

import numpy as np
import pytest
from scipy.signal import find_peaks

from motiongpt.data.synthetic.action import SIDES, discover
from motiongpt.data.synthetic.body import J, joints
from motiongpt.data.synthetic.compose import LONGEST, SHORTEST, compose
from motiongpt.data.synthetic.curves import FPS
from motiongpt.data.synthetic.performer import draw_performer
from motiongpt.data.synthetic.words import Words
from motiongpt.motion.skeleton import HUMANML3D

ARM_ACTIONS = ("bow", "clap", "drink", "punch", "raise_arms", "throw", "wave")
SEEDS = range(20)
ACTIONS = discover()


def perform(name: str, seed: int) -> tuple[Any, np.ndarray]:
    """Drawn parameters and (T, 22, 3) joints of a person who stands at the origin facing +Z."""
    rng = np.random.default_rng(seed)
    performer = draw_performer(rng)
    parameters = ACTIONS[name].draw(rng)
    pose = ACTIONS[name].perform(parameters, performer, rng)
    return parameters, joints(pose).astype(float)


def wrist(body: np.ndarray, side: str) -> np.ndarray:
    """(T, 3)"""
    return body[:, J[f"{side}_wrist"]]


def path(body: np.ndarray, side: str) -> float:
    """Metres that a wrist travels."""
    return float(np.linalg.norm(np.diff(wrist(body, side), axis=0), axis=1).sum())


def peaks(values: np.ndarray, prominence: float) -> int:
    """How many maxima stand out by that much."""
    return len(find_peaks(values, prominence=prominence)[0])


def other(side: str) -> str:
    """The opposite side."""
    return SIDES[1 - SIDES.index(side)]


@pytest.mark.parametrize("name", ARM_ACTIONS)
def test_bodies_hold_together(name: str) -> None:
    parents = np.array(HUMANML3D.parents[1:])
    for seed in SEEDS:
        _, body = perform(name, seed)
        bones = np.linalg.norm(body[:, 1:] - body[:, parents], axis=-1)
        assert np.ptp(bones, axis=0).max() < 1e-4
        speed = np.linalg.norm(np.diff(body, axis=0), axis=-1) * FPS
        assert speed.max() < 8.0
        assert speed[[0, 1, -2, -1]].max() < 0.05  # at rest at both ends
        assert np.abs(body[0] - body[-1]).max() < 1e-3
        for joint in ("left_ankle", "right_ankle", "left_foot", "right_foot"):
            assert np.abs(body[:, J[joint]] - body[0, J[joint]]).max() < 0.01


@pytest.mark.parametrize("name", ARM_ACTIONS)
def test_elbows_of_hanging_arms_fold_forward(name: str) -> None:
    for seed in SEEDS:
        _, body = perform(name, seed)
        across = body[:, J["left_shoulder"]] - body[:, J["right_shoulder"]]
        ahead = np.cross(across, [0.0, 1.0, 0.0])
        ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
        for side in SIDES:
            upper = body[:, J[f"{side}_elbow"]] - body[:, J[f"{side}_shoulder"]]
            upper /= np.linalg.norm(upper, axis=1, keepdims=True)
            fore = wrist(body, side) - body[:, J[f"{side}_elbow"]]
            fold = fore - (fore * upper).sum(axis=1, keepdims=True) * upper
            hanging = upper[:, 1] < -0.6
            assert hanging.any()
            assert (fold * ahead).sum(axis=1)[hanging].min() > 0.01


@pytest.mark.parametrize("name", ARM_ACTIONS)
def test_hands_stay_outside_the_body(name: str) -> None:
    for seed in SEEDS:
        _, body = perform(name, seed)
        for side in SIDES:
            for joint in ("head", "neck", "spine3", "spine1", "pelvis"):
                apart = np.linalg.norm(wrist(body, side) - body[:, J[joint]], axis=1)
                assert apart.min() > 0.15


@pytest.mark.parametrize("name", ["wave", "punch", "throw", "drink"])
def test_the_named_side_does_it(name: str) -> None:
    seen = set()
    for seed in SEEDS:
        parameters, body = perform(name, seed)
        seen.add(parameters.side)
        assert body[0, J["left_wrist"], 0] > 0 > body[0, J["right_wrist"], 0]
        assert path(body, parameters.side) > 1.2 * path(body, other(parameters.side))
    assert seen == set(SIDES)


def test_waves_are_counted_at_a_raised_hand() -> None:
    for seed in SEEDS:
        parameters, body = perform("wave", seed)
        hand, elbow = wrist(body, parameters.side), body[:, J[f"{parameters.side}_elbow"]]
        shoulder = body[:, J[f"{parameters.side}_shoulder"]]
        up = hand[:, 1] > shoulder[:, 1] + 0.1
        outward = (hand - elbow)[:, 0] * (1.0 if parameters.side == "left" else -1.0)
        first, last = np.flatnonzero(up)[[0, -1]]
        middle = slice(first + 5, last - 4)
        padded = np.concatenate([[-1.0], outward[middle], [-1.0]])
        assert peaks(padded, 0.1) == parameters.count
        above = hand[:, 1].max() - body[:, J["head"], 1].mean()
        assert above > (0.2 if parameters.height == "high" else -0.1)


def test_arms_rise_where_the_caption_says() -> None:
    seen = set()
    for seed in range(40):
        parameters, body = perform("raise_arms", seed)
        seen.add((parameters.side, parameters.direction))
        for side in SIDES:
            hand, shoulder = wrist(body, side), body[:, J[f"{side}_shoulder"]]
            if parameters.side not in (side, "both"):
                assert hand[:, 1].max() < shoulder[0, 1] - 0.4
                continue
            assert peaks(hand[:, 1], 0.3) == parameters.count
            top = int(hand[:, 1].argmax())
            away = hand[top] - shoulder[top]
            if parameters.direction == "overhead":
                assert hand[top, 1] > body[top, J["head"], 1] + 0.2
                continue
            assert abs(away[1]) < 0.15
            aside = away[0] if side == "left" else -away[0]
            assert (away[2] if parameters.direction == "forward" else aside) > 0.45
    assert len(seen) == 9


def test_punches_reach_ahead_and_are_counted() -> None:
    for seed in SEEDS:
        parameters, body = perform("punch", seed)
        shoulder = body[:, J["neck"]]
        reached = (wrist(body, parameters.side) - shoulder)[:, 2]
        assert peaks(reached, 0.2) == parameters.count
        assert reached.max() > 0.5
        height = wrist(body, parameters.side)[int(reached.argmax()), 1] - shoulder[0, 1]
        assert abs(height) < 0.25
        assert peaks((wrist(body, other(parameters.side)) - shoulder)[:, 2], 0.2) < 2


def test_bows_lower_the_head_as_deep_as_told() -> None:
    drops: dict[str, list[float]] = {"slight": [], "normal": [], "deep": []}
    for seed in SEEDS:
        parameters, body = perform("bow", seed)
        head = body[:, J["head"], 1]
        assert peaks(-head, 0.03) == parameters.count
        drops[parameters.depth].append(head[0] - head.min())
    assert min(drops["slight"]) > 0.04
    assert max(drops["slight"]) < min(drops["normal"])
    assert max(drops["normal"]) < min(drops["deep"])


def test_claps_are_counted_at_their_height() -> None:
    for seed in SEEDS:
        parameters, body = perform("clap", seed)
        left, right = wrist(body, "left"), wrist(body, "right")
        apart = np.linalg.norm(left - right, axis=1)
        assert peaks(-apart, 0.12) == parameters.count
        assert apart.min() < 0.1
        height = left[int(apart.argmin()), 1]
        if parameters.height == "overhead":
            assert height > body[:, J["head"], 1].max() + 0.15
        else:
            assert abs(height - body[0, J["spine3"], 1]) < 0.15


def test_throws_go_from_behind_the_head_to_the_front() -> None:
    speeds: dict[str, list[float]] = {"gentle": [], "normal": [], "hard": []}
    for seed in SEEDS:
        parameters, body = perform("throw", seed)
        hand, head = wrist(body, parameters.side), body[:, J["head"]]
        cocked = int((hand - head)[:, 2].argmin())
        assert hand[cocked, 1] > head[cocked, 1]
        assert (hand - head)[cocked, 2] < -0.1
        assert (hand - head)[cocked:, 2].max() > 0.35
        speed = np.linalg.norm(np.diff(hand, axis=0), axis=1) * FPS
        speeds[parameters.force].append(float(speed.max()))
    assert np.mean(speeds["gentle"]) < np.mean(speeds["normal"]) < np.mean(speeds["hard"])


def test_a_cup_reaches_the_mouth() -> None:
    for seed in SEEDS:
        parameters, body = perform("drink", seed)
        gap = np.linalg.norm(wrist(body, parameters.side) - body[:, J["head"]], axis=1)
        assert peaks(-gap, 0.1) == parameters.count
        assert gap.min() < 0.25


@pytest.mark.parametrize("name", ARM_ACTIONS)
def test_phrases_vary_and_only_their_own_words_match(name: str) -> None:
    for seed in SEEDS:
        words = Words(np.random.default_rng(seed))
        parameters = ACTIONS[name].draw(np.random.default_rng(seed))
        phrases = ACTIONS[name].phrases(parameters, words)
        assert len(set(phrases)) >= 6
        for phrase in phrases:
            caption = words.sentence([phrase]).lower()
            assert not re.search(r"[<>{}]|  | [.,]", caption), caption
            told = {
                key
                for key, action in ACTIONS.items()
                if any(re.search(pattern, caption) for pattern in action.words)
            }
            assert told == {name}, caption


@pytest.mark.parametrize("name", ARM_ACTIONS)
def test_other_captions_do_not_tell_of_arm_actions(name: str) -> None:
    for key, action in ACTIONS.items():
        if key == name:
            continue
        for seed in range(5):
            words = Words(np.random.default_rng(seed))
            parameters = action.draw(np.random.default_rng(seed))
            for phrase in action.phrases(parameters, words):
                caption = words.sentence([phrase]).lower()
                for pattern in ACTIONS[name].words:
                    assert not re.search(pattern, caption), (key, caption)


@pytest.mark.parametrize("name", ARM_ACTIONS)
def test_clips_are_composed(name: str) -> None:
    others = [action for key, action in ACTIONS.items() if key != name]
    for seed in range(6):
        scene = compose(np.random.default_rng(seed), ACTIONS[name], others)
        assert SHORTEST <= len(scene.joints) - 1 <= LONGEST
        assert scene.segments[0].action == name
        assert np.isfinite(scene.joints).all()
