"""The Python API on a small untrained model: what is given stays, what is asked is there."""

import json
import shutil

import numpy as np
import pytest

from motiongpt import Motion, MotionGPT, load
from motiongpt.api.ground import Ground
from motiongpt.data.synthetic import SyntheticSource
from motiongpt.errors import UserError
from motiongpt.methods.motiongpt.method import MotionGPTMethod
from motiongpt.motion.skeleton import KIT
from tests.unit.tiny_models import tiny_model_folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_model_folder(tmp_path_factory.mktemp("models") / "tiny", {"made": "here"})


@pytest.fixture(scope="module")
def model(folder):
    return MotionGPT.from_pretrained(folder, device="cpu")


@pytest.fixture(scope="module")
def clips():
    found = []
    for clip in SyntheticSource(clips=3, seed=5).clips():
        found.append(Motion.from_joints(np.asarray(clip.joints, np.float32)[:45]))
    return found


def moved(motion, angle, shift):
    joints = Ground(angle, np.asarray(shift, float)).put(motion.joints)
    return Motion.from_joints(joints.astype(np.float32), motion.fps)


def largest_step(joints):
    return np.linalg.norm(np.diff(joints, axis=0), axis=-1).max(-1)


def test_one_call_for_all(model, clips, monkeypatch):
    calls = []
    strings = MotionGPTMethod._strings

    def counted(self, prompted, decoding, seed):
        calls.append(len(prompted))
        return strings(self, prompted, decoding, seed)

    monkeypatch.setattr(MotionGPTMethod, "_strings", counted)
    model.text_to_motion(["a", "b"], samples=3, seed=0)
    model.motion_to_text(clips)
    model.predict(clips, frames=50)
    model.in_between([c[:9] for c in clips], [c[-9:] for c in clips], frames=30)
    model.chat(["one", ["two ", clips[0]]], seed=0)
    assert calls == [6, 3, 3, 3, 2]


def test_text_to_motion_has_the_length_the_words_and_the_seed(model):
    first, second = model.text_to_motion(["a person walks", "he  runs"], frames=[41, 8], seed=3)
    assert (first.frames, second.frames) == (41, 8)
    assert first.captions == ("a person walks",) and second.captions == ("he runs",)
    assert first.features.shape == (41, 263) and first.fps == 20 and not first.given.any()
    again = model.text_to_motion(["a person walks", "he runs"], frames=[41, 8], seed=3)[0]
    np.testing.assert_array_equal(first.joints, again.joints)
    free = model.text_to_motion("a person walks", samples=4, seed=1)
    assert len(free) == 4 and all(4 <= one.frames <= 196 for one in free)
    assert len({one.joints.tobytes() for one in free}) > 1


def test_sentences_about_motions(model, clips, tmp_path):
    path = clips[0].save(tmp_path / "clip.npz")
    from_all = model.motion_to_text([clips[0], path, str(path), clips[0].joints])
    assert len(from_all) == 4 and len(set(from_all)) == 1
    assert "<motion_id" not in from_all[0]


@pytest.mark.parametrize("frames", [None, 24, 46, 47, 48, 49])
def test_predictions_begin_with_what_was_given(model, clips, frames):
    starts = [moved(clip[:23], 2.0, (3, 0.2, -1)) for clip in clips]
    for start, whole in zip(starts, model.predict(starts, frames=frames), strict=True):
        assert whole.frames == frames or (frames is None and whole.frames > 23)
        np.testing.assert_allclose(whole.joints[:23], start.joints, atol=1e-4)
        assert whole.given.tolist() == [True] * 23 + [False] * (whole.frames - 23)


@pytest.mark.parametrize("frames", [23, 30, 43, 44, 45, 46])
def test_both_ends_stay_in_their_places(model, clips, frames):
    starts = [moved(clip[:9], 2.0, (3, 0, -1)) for clip in clips]
    ends = [moved(clip[-13:], -1.0, (4, 0, 1)) for clip in clips]
    for start, end, whole in zip(
        starts, ends, model.in_between(starts, ends, frames=frames), strict=True
    ):
        assert whole.frames == frames
        np.testing.assert_allclose(whole.joints[:9], start.joints, atol=1e-4)
        np.testing.assert_allclose(whole.joints[-13:], end.joints, atol=1e-3)
        assert whole.given.sum() == 22


def test_from_a_first_and_a_last_pose(model, clips):
    (whole,) = model.in_between(clips[0][0], clips[0][-1], frames=30, text="a person moves")
    np.testing.assert_allclose(whole.joints[0], clips[0].joints[0], atol=1e-4)
    np.testing.assert_allclose(whole.joints[-1], clips[0].joints[-1], atol=1e-3)
    assert whole.captions == ("a person moves",)


def test_nothing_jumps_at_the_seams(model, clips):
    """The untrained codec makes poses far from those given: unblended they would jump."""
    clip = clips[0]
    (whole,) = model.predict(clip[:20], frames=60, seed=0)
    decoded = model.method.codec.decode(model.method.codec.encode([clip.features[:20]]))[0]
    wrong = np.abs(decoded[-1, 4:67] - clip.features[19, 4:67]).max()
    steps = largest_step(whole.joints)
    assert wrong > 0.3 and steps[19] < 0.2 * wrong
    (whole,) = model.in_between(clip[:12], clip[-12:], frames=60, seed=0)
    steps = largest_step(whole.joints)
    assert steps[11] < 0.3 * wrong and steps[-12] < 0.3 * wrong


def test_other_frame_rates_are_resampled(model, clips):
    fast = clips[0].at(60)
    (whole,) = model.predict(fast, frames=60)
    assert whole.fps == 20 and abs(whole.given.sum() - clips[0].frames) <= 1


def test_chat_replies_with_words_or_a_motion(model, clips):
    asked = ["Describe ", clips[0], " in words."]
    (said,) = model.chat(asked, output="text", seed=0)
    assert not said.motions and isinstance(said.text, str)
    (done,) = model.chat("Show me a walk.", output="motion", seed=0)
    assert done.text == "" and done.motions[0].captions == ("Show me a walk.",)
    both = model.chat(["Show me a walk.", asked], seed=0)
    assert len(both) == 2 and all(bool(one.text) != bool(one.motions) for one in both)
    assert both == model.chat(["Show me a walk.", asked], seed=0) or both[0].motions


def test_a_saved_model_is_the_same_model(model, tmp_path):
    saved = MotionGPT.from_pretrained(model.save_pretrained(tmp_path / "copy"), device="cpu")
    one, other = (m.text_to_motion("a person walks", seed=4)[0] for m in (model, saved))
    np.testing.assert_array_equal(one.joints, other.joints)
    assert json.loads((tmp_path / "copy" / "motiongpt.json").read_text())["source"] == {
        "made": "here"
    }


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda m, c: m.text_to_motion(""), "text 0 is empty"),
        (lambda m, c: m.text_to_motion([]), "no text"),
        (lambda m, c: m.text_to_motion(["a", 3]), "text 1 is a int"),
        (lambda m, c: m.text_to_motion("a", frames=0), "at least 1, the shortest"),
        (lambda m, c: m.text_to_motion("a", frames=10**6), "at most 1012"),
        (lambda m, c: m.text_to_motion("a", frames=8.5), "whole number"),
        (lambda m, c: m.text_to_motion(["a", "b"], frames=[8]), "1 values of frames for 2"),
        (lambda m, c: m.text_to_motion("a", seed=-1), "seed=-1: expected a whole number from 0 to"),
        (lambda m, c: m.text_to_motion("a", seed=2**32), "seed=4294967296: expected a whole"),
        (lambda m, c: m.text_to_motion("a", seed=1.5), "seed=1.5: expected a whole number"),
        (lambda m, c: m.text_to_motion("a", seed=True), "seed=True: expected a whole number"),
        (lambda m, c: m.text_to_motion("a", seed="1"), "seed=1: expected a whole number"),
        (lambda m, c: m.predict(c, seed=-1), "seed=-1"),
        (lambda m, c: m.motion_to_text(c, seed=-1), "seed=-1"),
        (lambda m, c: m.chat("x", output="text", seed=-1), "seed=-1"),
        (lambda m, c: m.text_to_motion(["a", "b \ud800"]), r"text 1: letter 2 is half .*U\+D800"),
        (lambda m, c: m.predict(c, text="\udc80"), "text 0: letter 0 is half a letter"),
        (lambda m, c: m.chat("x \ud800"), "message 0: letter 2 is half a letter"),
        (lambda m, c: m.text_to_motion(None), "text 0 is a NoneType"),
        (lambda m, c: m.text_to_motion("a", samples=0), "samples=0"),
        (lambda m, c: m.text_to_motion("a " * 900), "the model reads 255"),
        (lambda m, c: m.motion_to_text([]), "no motion"),
        (lambda m, c: m.motion_to_text("gone.npy"), "gone.npy: no such file"),
        (lambda m, c: m.motion_to_text(7), "motion is a int"),
        (lambda m, c: m.motion_to_text(np.full((9, 263), np.nan)), "NaN"),
        (lambda m, c: m.predict(c, frames=len(c)), "at least 46, 45 are given"),
        (lambda m, c: m.predict(c, text=""), "text 0 is empty"),
        (lambda m, c: m.in_between(c[:9], c[-9:], frames=18), "at least 19, 18 are given"),
        (lambda m, c: m.in_between(c[:9], [c, c], frames=40), "1 starts and 2 ends"),
        (lambda m, c: m.chat([]), "no message"),
        (lambda m, c: m.chat([[c]]), "message 0 has no words"),
        (lambda m, c: m.chat([["x", 3]]), "holds a int"),
        (lambda m, c: m.chat("x", output="dance"), "choose one of any, text, motion"),
        (lambda m, c: m.chat("say <Caption_Placeholder>"), "Caption_Placeholder"),
    ],
)
def test_bad_input_is_one_line(model, clips, ask, said):
    with pytest.raises(UserError, match=said) as caught:
        ask(model, clips[0])
    assert "\n" not in str(caught.value)


def test_a_motion_of_another_skeleton_is_refused(model):
    kit = Motion.from_features(np.zeros((20, 251)), skeleton=KIT)
    with pytest.raises(UserError, match="'kit', the model was trained on 'humanml3d'"):
        model.motion_to_text(kit)


def test_seeds_of_numpy_are_whole_numbers_too(model):
    one, other = (model.text_to_motion("a", 8, seed=seed)[0] for seed in (3, np.int64(3)))
    np.testing.assert_array_equal(one.joints, other.joints)


def test_a_codec_inside_a_method_reconstructs_too(model, clips):
    (one,) = model.reconstruct(clips[0])
    expected = model.method.codec.reconstruct([clips[0].features])[0]
    np.testing.assert_allclose(one.features, expected, atol=1e-5)
    assert one.captions == clips[0].captions


def test_load_opens_any_method_with_the_same_verbs(folder):
    model = load(folder, device="cpu")
    assert isinstance(model, MotionGPT) and "method motiongpt" in repr(model)
    with pytest.raises(UserError, match="temperature: no such option; valid: decoding"):
        model.text_to_motion("a", temperature=2)


def test_a_verb_that_a_method_cannot_do_says_so(folder, clips):
    model = load(folder, device="cpu")
    model.method.tasks = frozenset({"text_to_motion"})
    with pytest.raises(UserError, match="method motiongpt cannot do prediction; it can: text_to"):
        model.predict(clips[0], frames=60)


def test_a_folder_without_weights_is_one_line(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "hollow")
    shutil.rmtree(tmp_path / "hollow" / "codec")
    with pytest.raises(UserError, match="codec: no weights here; get the model folder again"):
        load(tmp_path / "hollow")


def test_what_a_device_or_a_precision_can_not_be(folder):
    with pytest.raises(UserError, match="device=abacus"):
        MotionGPT.from_pretrained(folder, device="abacus")
    with pytest.raises(UserError, match="precision=float7"):
        MotionGPT.from_pretrained(folder, device="cpu", precision="float7")
