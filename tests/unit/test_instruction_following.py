"""Whether motion does what it was asked, on synthetic motion, of which that is known.

Real motion does, motion of other captions does by chance, the mean pose does nothing; and what a
change of the motion breaks is what it changes: sides, counts, distances, angles or the order.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from evaluation.case import Case, Scorers
from evaluation.metrics.base import Batch
from evaluation.metrics.instruction_following import InstructionFollowing
from evaluation.metrics.instructions.recognition import MEASURED, events_of
from motiongpt.data.synthetic import SyntheticSource
from motiongpt.data.synthetic.action import discover
from motiongpt.data.synthetic.compose import Scene
from motiongpt.errors import UserError
from motiongpt.motion.resample import resample_positions
from motiongpt.motion.skeleton import HUMANML3D
from motiongpt.preflight import Outlook
from tests.unit.test_bandai_measurements import mirrored

FPS = HUMANML3D.fps
SCORERS = Scorers(HUMANML3D, FPS, {name: one.words for name, one in discover().items()})
ASPECTS = ("action", "side", "count", "distance", "angle", "order", "all")
Change = Callable[[np.ndarray], np.ndarray]


@cache
def scenes() -> tuple[Scene, ...]:
    """Clips of all actions in turn, a quarter of them with two."""
    source = SyntheticSource(clips=240, seed=17)
    return tuple(source.scene(index) for index in range(len(source)))


def case(scene: Scene, joints: np.ndarray, caption: str | None = None) -> Case:
    asked = caption or scene.captions[0]
    none = np.zeros((0, HUMANML3D.n_features), np.float32)
    given = np.zeros(0, bool)
    return Case(
        *("clip", (), scene.captions, asked, asked, none, given, "", none),
        known_joints=joints,
    )


def measured(cases: list[Case], scorers: Scorers = SCORERS) -> dict[str, float]:
    metric = InstructionFollowing()
    metric.update(Batch(cases=cases, scorers=scorers))
    return {name.removeprefix("instruction_"): float(v) for name, v in metric.compute().items()}


def changed(change: Change) -> dict[str, float]:
    return measured([case(scene, change(scene.joints)) for scene in scenes()])


def test_real_motion_does_what_its_captions_say():
    found = changed(lambda joints: joints)
    assert set(found) == set(ASPECTS)
    assert min(found.values()) >= 99.0, found


def test_every_action_is_told_from_every_other():
    wrong = [
        (sorted({one.action for one in scene.segments}), sorted(shown))
        for scene in scenes()
        if (shown := {event.action for event in events_of(scene.joints, FPS)})
        != {one.action for one in scene.segments}
    ]
    assert len(wrong) <= 2, wrong
    assert {one.action for scene in scenes() for one in scene.segments} == MEASURED


def test_motion_of_other_captions_does_so_by_chance():
    shift = len(scenes()) // 2 + 7
    others = [*scenes()[shift:], *scenes()[:shift]]
    found = measured(
        [case(one, one.joints, o.captions[0]) for one, o in zip(scenes(), others, strict=True)]
    )
    assert max(found.values()) < 12.0, found


def test_the_mean_pose_and_no_motion_do_nothing():
    mean = np.concatenate([one.joints - one.joints[:, :1] * [1, 0, 1] for one in scenes()]).mean(0)
    assert max(changed(lambda joints: np.repeat(mean[None], len(joints), 0)).values()) == 0.0
    assert max(changed(lambda joints: joints[:0]).values()) == 0.0


def test_frames_in_a_random_order_do_nothing():
    rng = np.random.default_rng(0)
    assert max(changed(lambda joints: rng.permutation(joints)).values()) < 8.0


def test_left_and_right_swapped_change_the_sides_alone():
    found = changed(mirrored)
    assert found.pop("side") < 15.0  # both arms stay both arms
    assert found.pop("all") < 60.0
    assert min(found.values()) >= 99.0, found


@pytest.mark.parametrize("rate", [2.0, 0.75])
def test_slower_and_faster_motion_does_the_same(rate: float):
    found = changed(lambda joints: resample_positions(joints.astype(float), FPS, rate * FPS))
    assert min(found.values()) >= 98.0, found


def test_a_centimetre_of_noise_changes_little():
    rng = np.random.default_rng(0)
    found = changed(lambda joints: joints + rng.normal(0.0, 0.01, joints.shape))
    assert min(found.values()) >= 95.0, found


def test_half_the_way_is_a_wrong_distance_alone():
    def half(joints: np.ndarray) -> np.ndarray:
        # a world of half the size, seen from the body: steps are shorter, so a walk may be none
        return joints - 0.5 * (joints[:, :1] - joints[:1, :1]) * [1.0, 0.0, 1.0]

    found = changed(half)
    assert found["distance"] < 25.0 and found["angle"] >= 99.0


def test_a_body_turned_back_has_a_wrong_angle():
    def unturned(joints: np.ndarray) -> np.ndarray:
        hips = joints[:, 1] - joints[:, 2]
        heading = np.unwrap(np.arctan2(-hips[:, 2], hips[:, 0]))
        angle = -0.4 * (heading - heading[0])[:, None]
        x, z = (joints - joints[:, :1])[..., 0], (joints - joints[:, :1])[..., 2]
        out = joints.copy()
        out[..., 0] = joints[:, :1, 0] + x * np.cos(angle) + z * np.sin(angle)
        out[..., 2] = joints[:, :1, 2] + z * np.cos(angle) - x * np.sin(angle)
        return out

    turning = [one for one in scenes() if one.segments[0].action == "turn"]
    before = measured([case(scene, scene.joints) for scene in turning])
    after = measured([case(scene, unturned(scene.joints)) for scene in turning])
    assert before["angle"] == 100.0 and after["angle"] < 60.0 < after["side"]


def test_the_other_order_is_wrong_in_order_alone():
    found = []
    for scene in scenes():
        if len({one.action for one in scene.segments}) == 2:
            seam, offset = scene.segments[1].start, scene.joints[-1, :1] - scene.joints[0, :1]
            later = scene.joints[:seam] + offset * [1.0, 0.0, 1.0]
            found.append(case(scene, np.concatenate([scene.joints[seam:], later])))
    swapped = measured(found)
    assert len(found) > 30 and swapped["order"] == 0.0
    assert swapped["action"] > 80.0 and swapped["side"] > 90.0 and swapped["count"] > 80.0


def test_one_repetition_less_is_a_wrong_count_alone():
    found = []
    for scene in scenes():
        one = scene.segments[0]
        if one.action == "kick" and len(scene.segments) == 1 and one.parameters.count > 1:
            kicks = [event for event in events_of(scene.joints, FPS) if event.action == "kick"]
            cut = slice(kicks[0].start - 2, kicks[1].start - 2)
            joints = np.delete(scene.joints, cut, axis=0)
            caption = f"a person kicks {one.parameters.count} times with their left foot"
            found.append((case(scene, scene.joints, caption), case(scene, joints, caption)))
    before, after = (measured(list(cases)) for cases in zip(*found, strict=True))
    assert before["count"] == 100.0 and after["count"] == 0.0
    assert after["action"] == 100.0 and after["side"] == before["side"]


def test_other_data_is_left_out_with_a_reason():
    other = Scorers(HUMANML3D, FPS, {"dance": (r"\bdanc",)})
    with pytest.raises(UserError, match="InstructionFollowing: 'dance' is not an action of the"):
        measured([case(scenes()[0], scenes()[0].joints)], other)

    class Store:
        action_words = other.action_words

    (line,) = InstructionFollowing().preflight(Outlook(store=Store()))  # type: ignore[arg-type]
    assert "instruction_order, instruction_all will be left out: 'dance'" in line
    assert not list(InstructionFollowing().preflight(Outlook()))
