"""The batch demo: files of prompts as MotionGPT's demo reads them, and sentences as people type."""

import numpy as np
import pytest

from launch.cli import main
from motiongpt import Motion, MotionGPT
from motiongpt.api.demo.batch import run_lines
from motiongpt.api.demo.lines import numbered_lines, read_line, read_sentence
from motiongpt.api.model import Model
from motiongpt.data.synthetic import SyntheticSource
from motiongpt.errors import UserError
from motiongpt.methods.motiongpt.method import MotionGPTMethod
from tests.unit.tiny_models import tiny_model_folder


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A model and a folder of motions, which nobody changes."""
    root = tmp_path_factory.mktemp("demo")
    tiny_model_folder(root / "model")
    clip = next(iter(SyntheticSource(clips=1, seed=5).clips()))
    motion = Motion.from_joints(np.asarray(clip.joints, np.float32)[:43])
    (root / "clips").mkdir()
    np.save(root / "clips" / "features.npy", motion.features)
    motion.save(root / "clips" / "joints.npy")
    motion[:9].save(root / "clips" / "short.npy")
    np.save(root / "clips" / "wrong.npy", np.zeros((4, 3)))
    np.save(root / "clips" / "pickled.npy", np.array([{}], dtype=object), allow_pickle=True)
    np.save(root / "clips" / "kit.npy", np.zeros((30, 251)))
    return root


@pytest.fixture(scope="module")
def model(place):
    return MotionGPT.from_pretrained(place / "model", device="cpu")


def ask(model, place, *lines, task=None, captions=False, frames=None, **options):
    found = [read_line(line, [place], task, captions) for line in lines]
    return run_lines(model, found, frames, seed=0, **options)


@pytest.mark.parametrize(
    ("line", "task", "words", "has_path"),
    [
        ("Generate motion: a person walks.", "t2m", "Generate motion: a person walks.", False),
        ("Describe <motion>.#clips/joints.npy", "m2t", "Describe <Motion_Placeholder>.", True),
        ("<MOTION>?# clips/joints.npy ", "m2t", "<Motion_Placeholder>?", True),
        (
            "on: <motion_placeholder_S1>#clips/joints.npy",
            "pred",
            "on: <Motion_Placeholder_s1>",
            True,
        ),
        (
            "<Motion_Placeholder_s1> <Motion_Placeholder_s2>#clips/joints.npy",
            "m2t",
            "<Motion_Placeholder_s1> <Motion_Placeholder_s2>",
            True,
        ),
        (
            "fill <motion_placeholder_masked>#clips/joints.npy",
            "inbetween",
            "fill <Motion_Placeholder_Masked>",
            True,
        ),
        ("a person waves#clips/joints.npy", "t2m", "a person waves", True),
        ("player # 7 runs", "t2m", "player # 7 runs", False),
        ("<motion_id_3>: what is it?", "t2m", "<motion_id_3>: what is it?", False),
    ],
)
def test_what_a_line_asks(place, line, task, words, has_path):
    found = read_line(line, [place], None, False)
    assert (found.task, found.words, found.path is not None) == (task, words, has_path)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("#clips/joints.npy", "no words before '#'"),
        (" # ", "no words"),
        ("Describe <motion>", "<Motion_Placeholder> without a motion"),
        ("Describe <Foo_Placeholder>#clips/joints.npy", "unknown placeholder <Foo_Placeholder>"),
        ("say <Caption_Placeholder>", "unknown placeholder <Caption_Placeholder>"),
        ("Describe <motion>#clips/gone.npy", "clips/gone.npy: no such file, looked for in"),
        ("Describe <motion>#no/such/folder", "no/such/folder: no such file"),
        (b"caf\xe9", "byte 0xe9 is no UTF-8"),
        ("walk \udc80", "a line: letter 5 is half a letter"),
    ],
)
def test_lines_that_can_not_be_read(place, line, said):
    with pytest.raises(UserError, match=said):
        read_line(line, [place], None, False)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "Predict motion: <Motion_Placeholder_s1>#walk.npy",
            "<Motion_Placeholder_s1>: a placeholder of MotionGPT",
        ),
        ("Describe <motion>", "<motion>: a placeholder of .* prompts; this method reads words"),
        ("say <motion_id_3>", "<motion_id_3>: a placeholder of MotionGPT"),
        (
            "a person walks#clips/joints.npy",
            "#clips/joints.npy: a motion, as MotionGPT's prompts have",
        ),
        (b"caf\xe9", "byte 0xe9 is no UTF-8"),
    ],
)
def test_a_method_of_words_alone_reads_no_prompt(line, said):
    with pytest.raises(UserError, match=said):
        read_sentence(line)
    assert read_sentence(b" player # 7 runs ") == "player # 7 runs"


def test_other_methods_refuse_prompts_one_by_one(place, tmp_path, capsys, monkeypatch):
    class Other(Model):
        def text_to_motion(self, texts, frames=None, samples=1, seed=None, **options):
            return super().text_to_motion(texts, frames or 8, samples, seed, **options)

    opened = MotionGPT.from_pretrained(place / "model", device="cpu").opened
    monkeypatch.setattr("motiongpt.api.motiongpt.load", lambda *_, **__: Other(opened))
    prompts = tmp_path / "prompts.txt"
    prompts.write_bytes(
        b"a person walks\n\nPredict motion: <Motion_Placeholder_s1>#walk.npy\nhe runs\n"
    )
    out = tmp_path / "out"
    assert main(["demo", "m", "--example", str(prompts), "--out", str(out)]) == 1
    shown = capsys.readouterr()
    assert shown.err.count("\n") == 1 and f"{prompts}:3 (ID 1): <Motion_Placeh" in shown.err
    assert "2 of 3 done" in shown.out
    assert {one.name for one in out.glob("*_out.npy")} == {"0_out.npy", "2_out.npy"}


def test_numbers_are_those_of_the_file():
    assert numbered_lines(b"\xef\xbb\xbfone\r\n\n  \ntwo") == [(1, b"one"), (4, b"two")]


def test_the_motion_stands_where_its_placeholder_stood(model, place):
    whole, first, rest, masked = ask(
        model,
        place,
        "Describe <motion>!#clips/joints.npy",
        "On: <Motion_Placeholder_s1>#clips/joints.npy",
        "Of <Motion_Placeholder_s2>#clips/joints.npy",
        "Fill <Motion_Placeholder_Masked>#clips/joints.npy",
    )
    motion = Motion.from_file(place / "clips" / "joints.npy")
    vocabulary, features = model.method.mix.placeholders.vocabulary, motion.features
    encode = model.method.codec.encode
    (codes, head, tail) = encode([features[:40], features[:8], features[8:40]])
    assert whole.prompt == f"Describe {vocabulary.write(codes)}!"
    assert first.prompt == f"On: {vocabulary.write(head)}"
    assert rest.prompt == f"Of {vocabulary.write(tail)}"
    (head, tail) = encode([features[:8], features[32:40]])
    hidden = np.full(6, vocabulary.mask)
    assert masked.prompt == f"Fill {vocabulary.write(np.concatenate([head, hidden, tail]))}"


def test_answers_have_what_was_given(model, place):
    source = Motion.from_file(place / "clips" / "features.npy").joints
    predicted, filled, said, moved = ask(
        model,
        place,
        "On: <Motion_Placeholder_s1>#clips/features.npy",
        "Fill <Motion_Placeholder_Masked>#clips/features.npy",
        "Describe <motion>#clips/features.npy",
        "a person walks#clips/features.npy",
    )
    np.testing.assert_allclose(predicted.motion.joints[:8], source[:8], atol=1e-4)
    assert predicted.motion.frames == 40 and predicted.given.frames == 8
    np.testing.assert_allclose(filled.motion.joints[:8], source[:8], atol=1e-4)
    np.testing.assert_allclose(filled.motion.joints[-8:], source[32:40], atol=1e-3)
    assert filled.motion.frames == 40
    assert said.motion is None and "<motion_id" not in said.text and said.given.frames == 40
    assert moved.prompt == "a person walks" and moved.text == "<Motion_Placeholder>"


def test_the_length_that_is_asked_for(model, place):
    asked = [
        "On: <Motion_Placeholder_s1>#clips/joints.npy",
        "Fill <Motion_Placeholder_Masked>#clips/joints.npy",
        "walk",
    ]
    found = ask(model, place, *asked, frames=33)
    assert [one.motion.frames for one in found] == [33, 33, 33]


def test_a_caption_is_put_into_the_models_own_words(model, place):
    (told,) = ask(model, place, "a person walks", captions=True)
    assert told.prompt != "a person walks" and "a person walks" in told.prompt
    for task in ("pred", "inbetween"):
        (one,) = ask(model, place, "a person waves#clips/joints.npy", task=task)
        assert "a person waves" in one.prompt and "<motion_id" in one.prompt


def test_all_lines_are_one_call_and_bad_ones_stop_none(model, place, monkeypatch):
    calls = []
    strings = MotionGPTMethod._strings

    def counted(self, prompted, decoding, seed):
        calls.append((len(prompted), decoding.strategy))
        return strings(self, prompted, decoding, seed)

    monkeypatch.setattr(MotionGPTMethod, "_strings", counted)
    found = ask(
        model,
        place,
        "walk",
        "Describe <motion>#clips/wrong.npy",
        "Describe <motion>#clips/pickled.npy",
        "Describe <motion>#clips/kit.npy",
        "Fill <Motion_Placeholder_Masked>#clips/short.npy",
        "Describe <motion>" + " please" * 300 + "#clips/joints.npy",
        "Describe <motion>#clips/joints.npy",
        task=None,
    )
    assert calls == [(2, "sampling")]
    problems = [one.problem for one in found]
    assert not problems[0] and not problems[6]
    for problem, said in zip(
        problems[1:6],
        ("shape (4, 3)", "pickled objects", "skeleton 'kit'", "leave nothing to fill", "255"),
        strict=True,
    ):
        assert said in problem and "\n" not in problem
    for task, line, strategy in (
        ("t2m", "walk", "sampling"),
        ("m2t", "Describe <motion>#clips/joints.npy", "greedy"),
        ("pred", "On <Motion_Placeholder_s1>#clips/joints.npy", "beams"),
        ("inbetween", "On <Motion_Placeholder_Masked>#clips/joints.npy", "beams"),
    ):
        calls.clear()
        ask(model, place, line, task=task)
        assert calls == [(1, strategy)]


def test_a_task_without_its_motion_says_so(model, place):
    for task, said in (("pred", "needs a motion"), ("m2t", "needs <motion>")):
        (one,) = ask(model, place, "a person walks", task=task)
        assert said in one.problem


def test_a_file_of_prompts_becomes_files(place, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    prompts = place / "prompts.txt"
    prompts.write_bytes(
        b"Generate motion: a person walks.\n\n"
        b"Describe <motion>#clips/joints.npy\r\n"
        b"Describe <motion>#clips/gone.npy\n"
        b"On: <Motion_Placeholder_s1>#clips/joints.npy\n"
    )
    words = ["demo", str(place / "model"), "--example", str(prompts), "--out", "results"]
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "2_out.npy").write_bytes(b"of an earlier call")
    assert main([*words, "--pictures", "--bvh", "--device", "cpu"]) == 1
    shown = capsys.readouterr()
    assert f"{prompts}:4 (ID 2): clips/gone.npy: no such file" in shown.err
    assert "3 of 4 done" in shown.out
    out = tmp_path / "results"
    names = {one.name for one in out.iterdir()}
    four = {
        f"{i}_{side}.{kind}" for i in (0, 1, 3) for side in ("in", "out") for kind in ("npy", "txt")
    }
    drawn = {"0_out.webp", "0_out.png", "1_in.webp", "1_in.png", "3_out.webp", "3_out.png"}
    assert names == four | drawn | {"0_out.bvh", "3_out.bvh"}
    assert np.load(out / "0_in.npy").shape == (0, 22, 3)
    assert np.load(out / "0_out.npy").shape[1:] == (22, 3) and len(np.load(out / "0_out.npy")) > 0
    assert np.load(out / "1_out.npy").shape == (0, 22, 3)
    assert np.load(out / "1_in.npy").shape == (40, 22, 3)
    assert np.load(out / "3_out.npy").shape == (40, 22, 3)
    assert np.load(out / "3_in.npy").shape == (8, 22, 3)
    assert (out / "0_in.txt").read_text() == "Generate motion: a person walks.\n"
    first = (out / "0_out.npy").read_bytes()
    assert main([*words, "--device", "cpu"]) == 1
    assert (out / "0_out.npy").read_bytes() == first and not (out / "0_out.webp").exists()


def test_one_typed_sentence(place, tmp_path, capsys):
    arguments = ["demo", str(place / "model"), "a person walks in a circle", "--frames", "20"]
    assert main([*arguments, "--out", str(tmp_path / "walk"), "--device", "cpu"]) == 0
    assert np.load(tmp_path / "walk" / "0_out.npy").shape == (20, 22, 3)
    assert (tmp_path / "walk" / "0_out.webp").is_file()
    assert "a person walks in a circle" in (tmp_path / "walk" / "0_in.txt").read_text()
    assert "0: 20 frames" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["demo", "MODEL"], "give a sentence"),
        (["demo", "MODEL", "x", "--example", "p.txt"], "give a sentence"),
        (["demo", "nowhere", "x"], "nowhere: no such folder; expected a model folder"),
        (["demo", "MODEL", "--example", "gone.txt"], "gone.txt: cannot read the prompts"),
        (["demo", "MODEL", "--example", "empty.txt"], "empty.txt: no line with words"),
        (["demo", "MODEL", "x", "--seed", "-3"], "seed=-3: expected a whole number from 0"),
        (["demo", "MODEL", "x", "--frames", "0"], "frames=0: ask for at least 1"),
    ],
)
def test_bad_arguments_are_one_line_and_a_status(place, tmp_path, monkeypatch, capsys, words, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.txt").write_text("\n \n")
    words = [str(place / "model") if word == "MODEL" else word for word in words]
    assert main(words) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1 and not (tmp_path / "demo").exists()
