import hashlib
import json
import re

import numpy as np
import pytest

from evaluation.metrics.action_words import named_actions
from launch.composition.build import build
from launch.composition.compose import compose_config
from motiongpt.data.build import build_store
from motiongpt.data.bvh_folder import BvhFolderSource
from motiongpt.data.caption_file import read_caption_file
from motiongpt.data.clip import BadClip, Caption, Clip
from motiongpt.data.hash_split import split_by_hash
from motiongpt.data.joint_mapping import load_mapping
from motiongpt.data.verify import verify_source
from motiongpt.errors import UserError
from tests.unit.bvh_joints import bvh_to_joints
from tests.unit.bvh_text import stick, write


@pytest.fixture
def folder(tmp_path):
    for seed, name in enumerate(("walk", "sub/run", "jump")):
        write(tmp_path / "mocap" / f"{name}.bvh", stick(40, seed=seed))
    return tmp_path / "mocap"


def jsonl(folder, *entries):
    write(folder / "captions.jsonl", "".join(json.dumps(entry) + "\n" for entry in entries))


def source_of(folder, captions="captions.jsonl", **settings):
    return BvhFolderSource(str(folder), captions, **settings)


def clips_of(folder, captions="captions.jsonl", **settings):
    items = list(source_of(folder, captions, **settings).clips())
    assert len({item.name for item in items}) == len(items)
    return {item.name: item for item in items}


ALL = (
    {"file": "walk.bvh", "caption": "a person walks", "split": "train", "label": "walk"},
    {"file": "walk", "caption": ["someone is walking", "walking on"], "label": ["walk", "turn"]},
    {"file": "sub\\run.BVH", "caption": " a man runs ", "split": "test", "label": None},
    {"file": "./jump.bvh", "caption": "a jump"},
)


def test_clips_with_captions_splits_and_labels(folder):
    jsonl(folder, *ALL)
    clips = clips_of(folder)
    assert list(clips) == ["jump", "sub__run", "walk"]
    walk = clips["walk"]
    assert [c.text for c in walk.captions] == ["a person walks", "someone is walking", "walking on"]
    assert (walk.split, walk.labels) == ("train", ("walk", "turn"))
    np.testing.assert_array_equal(walk.joints, bvh_to_joints(folder / "walk.bvh"))
    assert walk.joints.shape == (27, 22, 3) and walk.features is None
    assert clips["sub__run"].captions == (Caption("a man runs"),)
    assert (clips["sub__run"].split, clips["sub__run"].labels) == ("test", ())
    assert clips["jump"].split == "val"  # the split that has no other file
    assert len(source_of(folder)) == 3


@pytest.mark.parametrize(("name", "delimiter"), [("c.csv", ","), ("c.tsv", "\t")])
def test_tables_say_the_same_as_json_lines(folder, name, delimiter):
    rows = [
        ("file", "caption", "split", "label"),
        ("walk.bvh", '"walks, then\nturns"', "val", "walk; turn"),
        (),
        ("walk", "again", "", ""),
        ("sub/run.bvh", "runs", "train", "run"),
    ]
    path = write(folder / name, "\n".join(delimiter.join(row) for row in rows) + "\n")
    assert [line.number for line in read_caption_file(path)] == [2, 5, 6]
    clips = clips_of(folder, captions=name)
    assert [c.text for c in clips["walk"].captions] == ["walks, then\nturns", "again"]
    assert (clips["walk"].split, clips["walk"].labels) == ("val", ("walk", "turn"))
    assert clips["jump"] == BadClip("jump", f"no caption in {name}")


def test_captions_file_beside_the_folder(folder):
    path = write(folder.parent / "words.csv", "file,caption\nwalk,a walk\n")
    assert isinstance(clips_of(folder, captions=str(path))["walk"], Clip)


def test_the_hash_of_the_name_splits_80_5_15():
    names = [f"clip_{number}" for number in range(4000)]
    splits = [split_by_hash(name) for name in names]
    for split, share in (("train", 0.80), ("val", 0.05), ("test", 0.15)):
        assert splits.count(split) / 4000 == pytest.approx(share, abs=0.02)
    place = int(hashlib.sha256(b"clip_7").hexdigest()[:8], 16) % 100
    assert splits[7] == ("train" if place < 80 else "val" if place < 85 else "test")


def test_construction_reads_nothing(tmp_path):
    source = BvhFolderSource(str(tmp_path / "none"), "none.csv", mapping="none.yaml")
    assert source.fps == 20.0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"fps": 0}, "fps=0: expected a number above zero"),
        ({"metres_per_unit": -1}, "metres_per_unit=-1: expected a number above zero"),
        ({"up_axis": "X"}, "up_axis=X: expected Y or Z"),
        ({"action_words": {"walk": ["("]}}, r"action_words\.walk: '\(' is no regular expression"),
    ],
)
def test_settings_that_cannot_be_used(settings, message):
    with pytest.raises(UserError, match=message):
        BvhFolderSource("x", "y.csv", **settings)


def test_missing_parts_are_named(folder, tmp_path):
    with pytest.raises(
        UserError, match=rf"no folder {tmp_path / 'none'}; .*data\.source\.path=FOLDER"
    ):
        list(source_of(tmp_path / "none").clips())
    with pytest.raises(
        UserError,
        match=rf"no captions file {folder / 'captions.jsonl'}; .*data\.source\.captions=FILE",
    ):
        list(source_of(folder).clips())
    with pytest.raises(UserError, match=r"no \.bvh file in "):
        (tmp_path / "empty").mkdir()
        list(source_of(tmp_path / "empty").clips())
    jsonl(folder, *ALL)
    with pytest.raises(UserError, match=r"no joint mapping none\.yaml"):
        list(source_of(folder, mapping="none.yaml").clips())
    write(folder / "walk.BVH", "x")
    with pytest.raises(UserError, match="have one name; rename one"):
        list(source_of(folder).clips())


GOOD_LINE = '{"file": "walk", "caption": "x"}\n'


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("c.txt", "x", r"c\.txt: expected a captions file that ends in \.jsonl, \.csv or \.tsv"),
        ("c.jsonl", GOOD_LINE + "{", r"c\.jsonl:2: expected one JSON object"),
        ("c.jsonl", GOOD_LINE + "[]", r"c\.jsonl:2: expected one JSON object"),
        ("c.jsonl", GOOD_LINE + '{"file": "walk"}', r"c\.jsonl:2: no 'caption'"),
        (
            "c.jsonl",
            '{"file": "walk", "caption": "x", "splits": "val"}',
            r"c\.jsonl:1: unknown 'splits'",
        ),
        (
            "c.jsonl",
            '{"file": 3, "caption": "x"}',
            r"c\.jsonl:1: expected the name of a motion file, found 3",
        ),
        (
            "c.jsonl",
            '{"file": "walk", "caption": null}',
            r"c\.jsonl:1: expected text in 'caption', found None",
        ),
        (
            "c.jsonl",
            '{"file": "walk", "caption": "x", "split": ["val", "test"]}',
            r"c\.jsonl:1: expected text in 'split'",
        ),
        ("c.csv", "file,text\nwalk,x\n", r"c\.csv:1: no 'caption', unknown 'text'"),
        ("c.csv", "file,caption,caption\n", r"c\.csv:1: two 'caption'"),
        (
            "c.csv",
            "file,caption\nwalk,walks, turns\n",
            r"c\.csv:2: expected 2 fields, found 3; .*double quotes",
        ),
        ("c.csv", "file,caption\nwalk\n", r"c\.csv:2: expected 2 fields, found 1"),
        ("c.csv", 'file,caption\n\nwalk,"x" y\n', r"c\.csv:3: not a row of the table"),
        ("c.csv", 'file,caption\nwalk,"x\n', r"c\.csv:2: not a row of the table"),
        ("c.csv", "file,caption\n ,x\n", r"c\.csv:2: expected the name of a motion file"),
        (
            "c.csv",
            b"file,caption\nwalk,\xff\n",
            r"c\.csv: cannot read the captions file as UTF-8 text",
        ),
    ],
)
def test_malformed_captions_files(name, text, message, folder):
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UserError, match=message) as caught:
        list(source_of(folder, name).clips())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (
            [{"file": "walk", "caption": "a"}, {"file": "walk", "caption": " "}],
            "empty caption in line 2 of captions.jsonl",
        ),
        ([{"file": "walk", "caption": []}], "no caption in captions.jsonl"),
        (
            [{"file": "walk", "caption": "a", "split": "dev"}],
            "unknown split 'dev' in line 1 of captions.jsonl, expected one of train, val, test",
        ),
        (
            [
                {"file": "walk", "caption": "a", "split": "val"},
                {"file": "walk", "caption": "b", "split": "test"},
            ],
            "in two splits: test and val",
        ),
    ],
)
def test_lines_that_spoil_their_clip_only(lines, reason, folder):
    jsonl(folder, *lines)
    assert clips_of(folder)["walk"] == BadClip("walk", reason)


def test_files_that_cannot_be_used(folder):
    write(folder / "short.bvh", stick(13))  # 9 frames at 20 fps: 8 feature rows
    write(folder / "shorter.bvh", stick(11))
    write(folder / "cut.bvh", stick(40).rsplit(" ", 1)[0])
    write(folder / "no_hand.bvh", stick(40, leave_out=("Hand_R",)))
    write(folder / "text.bvh", "hello")
    names = ("short", "shorter", "cut", "no_hand", "text", "walk", "lost/clip.bvh")
    jsonl(folder, *({"file": name, "caption": "a"} for name in names))
    clips = clips_of(folder)
    good = {name for name, clip in clips.items() if isinstance(clip, Clip)}
    assert good == {"short", "walk"} and len(clips["short"].joints) == 9
    reasons = {name: clip.reason for name, clip in clips.items() if isinstance(clip, BadClip)}
    assert reasons.pop("shorter") == "too short: 6 frames at 20 fps, at least 8 are needed"
    assert re.search(r"cut\.bvh:\d+: expected 6 channel values, found 5", reasons.pop("cut"))
    assert re.search(r"no_hand\.bvh:\d+: .* expects joint Hand_R", reasons.pop("no_hand"))
    assert "text.bvh:1: expected HIERARCHY" in reasons.pop("text")
    assert (
        reasons.pop("lost__clip")
        == f"line 7 of captions.jsonl names it, but there is no lost/clip.bvh in {folder}"
    )
    assert reasons == dict.fromkeys(("jump", "sub__run"), "no caption in captions.jsonl")
    assert len(source_of(folder)) == len(clips) == 9


def test_units_axis_rate_and_mapping_can_be_given(folder, tmp_path):
    jsonl(folder, *ALL)
    plain = clips_of(folder)["walk"].joints
    np.testing.assert_allclose(
        clips_of(folder, metres_per_unit=0.015)["walk"].joints, plain * 1.5, rtol=1e-5
    )
    turned = np.stack([plain[..., 0], plain[..., 2], -plain[..., 1]], -1)
    np.testing.assert_allclose(clips_of(folder, up_axis="Z")["walk"].joints, turned, atol=1e-6)
    assert len(clips_of(folder, fps=30.0)["walk"].joints) == 40
    joints = "".join(
        f"  {target}: [{', '.join(sources)}]\n"
        for target, sources in load_mapping("bandai_namco").joints.items()
    )
    own = write(tmp_path / "own.yaml", f"metres_per_unit: 0.015\njoints:\n{joints}")
    found = clips_of(folder, mapping=str(own))["walk"].joints
    np.testing.assert_allclose(found[:, 0], plain[:, 0] * 1.5, rtol=1e-5)
    assert "cmu" in clips_of(folder, mapping="cmu")["walk"].reason


def test_labels_and_their_words(folder):
    jsonl(
        folder,
        {"file": "walk", "caption": "a", "label": ["Sit-Down", "run"]},
        {"file": "jump", "caption": "b", "label": "jump"},
    )
    words = source_of(folder, action_words={"jump": ["jump", "hop"], "wave": "wav"}).action_words
    assert sorted(words) == ["Sit-Down", "jump", "run", "wave"] and words["wave"] == ("wav",)
    assert named_actions("He sit down and HOPS", words) == {"Sit-Down", "jump"}
    assert named_actions("a trunk", words) == frozenset()
    assert named_actions("she is running", words) == {"run"}


def test_without_a_captions_file_every_file_is_a_clip_without_words(folder):
    clips = clips_of(folder, captions=None)
    assert len(clips) == 3 and all(isinstance(clip, Clip) for clip in clips.values())
    assert {(clip.captions, clip.labels) for clip in clips.values()} == {((), ())}
    report = verify_source(source_of(folder, None), progress=False)
    assert sorted(report.silent) == sorted(clips) and not report.bad and not report.ok


def test_workers_change_nothing(folder):
    jsonl(folder, *ALL)
    write(folder / "bad.bvh", "x")
    here, there = clips_of(folder), clips_of(folder, workers=1)
    assert list(here) == list(there)
    for name, clip in here.items():
        if isinstance(clip, Clip):
            np.testing.assert_array_equal(clip.joints, there[name].joints)
        else:
            assert clip == there[name]


def test_a_store_is_made_of_it_and_verify_names_the_bad(folder, tmp_path):
    jsonl(folder, *({**entry, "split": "train"} for entry in ALL))
    config = compose_config(["data=bvh_folder", f"data.source.path={folder}"])
    source = build(config.data.source)
    store = build_store(source, tmp_path / "store", progress=False, **config.data.store)
    assert store.counts()["train"] == 3 and store.n_features == 263
    index = list(store.names).index("walk")
    assert store.labels(index) == ("walk", "turn") and store.lengths[index] == 26
    write(folder / "text.bvh", "hello")
    report = verify_source(build(config.data.source), progress=False)
    assert [bad.name for bad in report.bad] == ["text"] and report.good["train"] == 3
