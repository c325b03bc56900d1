"""Template files: the project's own, MotionGPT's, and broken ones."""

import json
import re

import pytest

from motiongpt.errors import UserError
from motiongpt.methods.motiongpt.tasks.templates import (
    CAPTION,
    FRAMES,
    MOTION,
    MOTION_GIVEN,
    PLACEHOLDERS,
    SECONDS,
    Templates,
)
from tests.shared import shared

ANY = re.compile(r"<[^<>]*>")


def one_kind(inputs, outputs=(MOTION,), template_class="t2m"):
    entry = {"class": template_class, "input": list(inputs), "output": list(outputs)}
    return json.dumps({"Group": {"kind": entry}})


def test_own_instructions_are_many_and_clean():
    own = Templates.read()
    assert len(own.kinds) >= 15
    assert not own.dropped
    assert {"t2m", "l2m", "n2m", "m2t", "m2l", "t2t", "n2t", "predict", "inbetween"} == {
        kind.template_class for kind in own.kinds
    }
    for kind in own.kinds:
        assert len(kind.inputs) >= 6
        assert len(set(kind.inputs)) == len(kind.inputs)
        for wording in (*kind.inputs, *kind.outputs):
            assert set(ANY.findall(wording)) <= set(PLACEHOLDERS)
        assert all(CAPTION in wording for wording in kind.inputs) or not any(
            CAPTION in wording for wording in kind.inputs
        )


def test_own_wordings_are_not_those_of_motiongpt():
    path = shared("data") / "motiongpt_templates" / "template_instructions.json"
    theirs = {wording for kind in Templates.read(path).kinds for wording in kind.inputs}
    ours = {wording for kind in Templates.read().kinds for wording in kind.inputs}
    assert not ours & theirs


def test_kinds_that_name_a_length_always_name_it():
    for kind in Templates.read().kinds:
        if kind.name in ("caption_framelen", "framelen", "framelen-to-caption"):
            assert all(FRAMES in wording for wording in kind.inputs)
        if kind.name in ("caption_seclen", "seclen", "seclen-to-caption"):
            assert all(SECONDS in wording for wording in kind.inputs)
        if kind.template_class == "m2l":
            named = FRAMES if "frame" in kind.name else SECONDS
            assert all(named in answer for answer in kind.outputs)


def test_motiongpt_instructions_are_mended(caplog):
    path = shared("data") / "motiongpt_templates" / "template_instructions.json"
    theirs = Templates.read(path)
    raw = json.loads(path.read_text())
    assert len(theirs.kinds) == 18
    count = sum(len(kind["input"]) for kinds in raw.values() for kind in kinds.values())
    assert sum(len(kind.inputs) for kind in theirs.kinds) == count - 3
    assert theirs.dropped == {"empty": 2, f"without {FRAMES} or {SECONDS}": 1}
    assert "3 wordings left out" in caplog.text
    wordings = [text for kind in theirs.kinds for text in (*kind.inputs, *kind.outputs)]
    assert all(set(ANY.findall(text)) <= set(PLACEHOLDERS) for text in wordings)


def test_motiongpt_pretraining_templates_are_read():
    path = shared("data") / "motiongpt_templates" / "template_pretrain.json"
    kinds = Templates.read(path).kinds
    assert [kind.inputs[0] for kind in kinds][:2] == [CAPTION, MOTION]
    assert MOTION_GIVEN in kinds[2].inputs[0]


def test_unknown_placeholder_is_left_out_and_counted(caplog):
    text = one_kind(["Do <Mood_Placeholder> " + CAPTION, "Do " + CAPTION, "  "])
    read = Templates.parse(text, "mine.json")
    assert read.kinds[0].inputs == ("Do " + CAPTION,)
    assert read.dropped == {"with unknown placeholder <Mood_Placeholder>": 1, "empty": 1}
    assert "mine.json: 2 wordings left out" in caplog.text


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("{", r"mine\.json:1: not JSON"),
        ("[]", "the file is a list"),
        ("{}", "holds no templates"),
        ('{"Group": []}', "Group is a list"),
        ('{"Group": {"kind": 3}}', "Group/kind is a int"),
        ('{"Group": {"kind": {"input": ["a"], "output": ["b"]}}}', 'Group/kind has no "class"'),
        (
            '{"Group": {"kind": {"class": "n2m", "output": ["b"]}}}',
            'Group/kind has no list "input"',
        ),
        (one_kind(["a " + CAPTION, 7]), "Group/kind input 1 is a int"),
        (one_kind([""]), "Group/kind has no usable input"),
        (one_kind([CAPTION], outputs=[None]), "Group/kind output 0 is a NoneType"),
    ],
)
def test_broken_file_is_refused_by_name(text, named):
    with pytest.raises(UserError, match=named):
        Templates.parse(text, "mine.json")


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"nowhere\.json"):
        Templates.read(tmp_path / "nowhere.json")
