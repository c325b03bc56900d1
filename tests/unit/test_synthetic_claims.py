"""Synthetic captions, read as a reader does: what a sentence claims is measured on the joints."""

import re
from functools import cache

import numpy as np
import pytest

from motiongpt.data.synthetic import SyntheticSource
from motiongpt.data.synthetic.compose import Scene
from motiongpt.motion.skeleton import HUMANML3D

SPELLED = (
    *("one", "two", "three", "four", "five", "six"),
    *("seven", "eight", "nine", "ten", "eleven", "twelve"),
)
NUMBERS = {word: value for value, word in enumerate(SPELLED, 1)}
NUMBER = rf"\d+(?:\.\d+)?|{'|'.join(NUMBERS)}"
LEFT_FOOT, RIGHT_FOOT = (HUMANML3D.joint_names.index(f"{side}_foot") for side in ("left", "right"))
TRAVELLING = ("walk", "walk_backward", "run", "sidestep")
FAST = r"\b(?:quick(?:ly)?|fast|rapidly)\b"
SLOW = r"\b(?:slow(?:ly)?|leisurely)\b"


@cache
def alone(action: str) -> tuple[Scene, ...]:
    """Clips of that action."""
    source = SyntheticSource(clips=40, seed=21, actions=[action])
    scenes = (source.scene(index) for index in range(len(source)))
    return tuple(scene for scene in scenes if len(scene.segments) == 1)


def value(number: str) -> float:
    """3.0 of "three" and of "3"."""
    return float(NUMBERS.get(number) or number)


def metres(caption: str) -> float | None:
    """The distance a caption claims, if it does."""
    if re.search(r"half a meter", caption):
        return 0.5
    told = re.search(rf"\b({NUMBER})( and a half)? meters?\b", caption)
    return value(told[1]) + (0.5 if told[2] else 0.0) if told else None


def travelled(scene: Scene) -> float:
    """Metres from the first place to the last."""
    way = (scene.joints[-1, 0] - scene.joints[0, 0]).astype(float)
    return float(np.hypot(way[0], way[2]))


def steps_taken(scene: Scene) -> int:
    """How often a toe leaves the floor and comes back."""
    up = (scene.joints[:, [LEFT_FOOT, RIGHT_FOOT], 1] > 0.03).astype(int)
    return int((np.diff(up, axis=0) == 1).sum())


@pytest.mark.parametrize("action", TRAVELLING)
def test_metres_written_are_metres_travelled(action: str):
    claims = [
        (metres(caption), scene)
        for scene in alone(action)
        for caption in scene.captions
        if "meter" in caption
    ]
    assert len(claims) > 5
    for claim, scene in claims:
        # halves of a metre, so at most a quarter away, and a little for the sway at the ends
        assert claim == pytest.approx(travelled(scene), abs=0.28), scene.captions


@pytest.mark.parametrize("action", ["walk", "walk_backward", "run", "march"])
def test_steps_written_are_steps_taken(action: str):
    claims = [
        (value(told[1]), scene)
        for scene in alone(action)
        for caption in scene.captions
        if (told := re.search(rf"\b({NUMBER}) steps?\b", caption))
    ]
    assert len(claims) > 5
    for claim, scene in claims:
        assert claim == steps_taken(scene), scene.captions


@pytest.mark.parametrize("action", TRAVELLING)
def test_who_is_called_fast_is_faster_than_who_is_called_slow(action: str):
    speeds: dict[str, list[float]] = {FAST: [], SLOW: []}
    for scene in alone(action):
        moving = np.linalg.norm(np.diff(scene.joints[:, 0], axis=0)[:, [0, 2]], axis=1) * 20.0
        for words, found in speeds.items():
            if any(re.search(words, caption) for caption in scene.captions):
                found.append(float(np.median(moving[moving > 0.1])))
    assert min(len(found) for found in speeds.values()) > 3
    assert min(speeds[FAST]) > 1.2 * max(speeds[SLOW])


@pytest.mark.parametrize("action", ["turn", "sidestep", "kick", "punch", "wave", "throw"])
def test_captions_of_one_clip_agree_on_the_side(action: str):
    for scene in alone(action):
        side = scene.segments[0].parameters.side
        other = {"left": "right", "right": "left"}[side]
        for caption in scene.captions:
            assert not re.search(rf"\b{other}\b", caption), caption
            if action == "turn":
                turn = {"left": "counterclockwise", "right": "clockwise"}[side]
                assert re.search(rf"\b{side}\b|\b{turn}\b", caption), caption


def test_no_caption_of_travel_claims_two_speeds():
    for action in TRAVELLING:
        for scene in alone(action):
            told = " ".join(scene.captions)
            assert not (re.search(FAST, told) and re.search(SLOW, told)), told


def test_heads_stay_above_necks():
    neck, head = (HUMANML3D.joint_names.index(name) for name in ("neck", "head"))
    source = SyntheticSource(clips=80, seed=8)
    for index in range(len(source)):
        scene = source.scene(index)
        if any(segment.action == "bow" for segment in scene.segments):
            continue
        rise = scene.joints[:, head, 1] - scene.joints[:, neck, 1]
        assert rise.min() > 0.03, scene.captions


def test_accelerations_are_those_of_a_body():
    source = SyntheticSource(clips=80, seed=9)
    for index in range(len(source)):
        scene = source.scene(index)
        second = np.diff(scene.joints.astype(float), 2, axis=0) * 400.0
        # a kicking foot is the fastest to turn round, at about 12 times gravity
        assert np.abs(second).max() < 150.0, scene.captions
