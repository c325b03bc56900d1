"""The Bandai-Namco source on tiny files, and, where ../shared is present, on the whole set."""

import http.server
import io
import re
import tarfile
import threading
import zipfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluation.metrics.action_words import named_actions
from motiongpt.data.bandai_namco.archive import content_sha256
from motiongpt.data.bandai_namco.captions import captions
from motiongpt.data.bandai_namco.facts import degrees, metres, seconds
from motiongpt.data.bandai_namco.labels import ACTION_WORDS, LABELS
from motiongpt.data.bandai_namco.measurements import SIDES, Measurements
from motiongpt.data.bandai_namco.source import BandaiNamcoSource
from motiongpt.data.bandai_namco.splits import EXCLUDED, SPLITS, ClipName, held_out_cell
from motiongpt.data.bandai_namco.styles import STYLES
from motiongpt.data.clip import BadClip, Clip
from motiongpt.errors import UserError
from tests.shared import shared

# Each joint's parent and place from it in centimetres, in the order of the published files.
BODY = {
    "joint_Root": ("", (0, 0, 0)), "Hips": ("joint_Root", (0, 91, 0)),
    "Spine": ("Hips", (0, 12, 0)), "Chest": ("Spine", (0, 20, 0)), "Neck": ("Chest", (0, 22, 0)),
    "Head": ("Neck", (0, 10, 2)),
    **{f"{name}_{side}": (parent.replace("*", side), (sign * x, y, z))
       for side, sign in (("L", 1), ("R", -1))
       for name, parent, (x, y, z) in (
           ("Shoulder", "Chest", (4, 18, 0)), ("UpperArm", "Shoulder_*", (12, 0, 0)),
           ("LowerArm", "UpperArm_*", (2, -27, 0)), ("Hand", "LowerArm_*", (0, -24, 0)),
           ("UpperLeg", "Hips", (9, 0, 0)), ("LowerLeg", "UpperLeg_*", (0, -42, 0)),
           ("Foot", "LowerLeg_*", (0, -39, 0)), ("Toes", "Foot_*", (0, -6, 14)))},
}  # fmt: skip
WALK, RUN, BOW = (
    "dataset-2_walk_normal_001", "dataset-2_run_active_002", "dataset-1_bow_proud_001",
)  # fmt: skip
STILL = Measurements(
    seconds=4.0, distance=0.1, displacement=0.0, speed=0.02, turn=0.0, direction=0.0, steps=0,
    bend=5.0, wrist_above_head=dict.fromkeys(SIDES, -0.5),
    wrist_above_shoulder=dict.fromkeys(SIDES, -0.4), wrist_rise=dict.fromkeys(SIDES, 0.02),
    swings=dict.fromkeys(SIDES, 0),
)  # fmt: skip


def bvh(frames: int = 61, speed: float = 1.2) -> bytes:
    """A stiff body that slides ahead at `speed` metres per second, at 30 frames per second."""
    order: list[str] = []

    def joint(name: str) -> str:
        order.append(name)
        children = "".join(joint(child) for child, (parent, _) in BODY.items() if parent == name)
        word = "JOINT" if BODY[name][0] else "ROOT"
        offset = " ".join(map(str, BODY[name][1]))
        channels = "Xposition Yposition Zposition Zrotation Xrotation Yrotation"
        return f"{word} {name}\n{{\nOFFSET {offset}\nCHANNELS 6 {channels}\n{children}}}\n"

    hierarchy = joint("joint_Root")
    rows = []
    for frame in range(frames):
        places = {name: list(place) for name, (_, place) in BODY.items()}
        places["Hips"][2] = 100.0 * speed * frame / 30.0
        rows.append("\t".join(f"{x} {y} {z} 0 0 0" for x, y, z in (places[name] for name in order)))
    motion = f"MOTION\nFrames: {frames}\nFrame Time: 0.0333333\n" + "\n".join(rows) + "\n"
    return ("HIERARCHY\n" + hierarchy + motion).encode()


def folder(path: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        file = path / "data" / f"{name}.bvh"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return path


def packed(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:xz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"../../{name}.bvh")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def source(path: Path, **options) -> BandaiNamcoSource:
    return BandaiNamcoSource(str(path), **{"workers": 0, "progress": False, **options})


def same(one: list, other: list) -> bool:
    pairs = zip(one, other, strict=True)
    return all(
        (a.name, a.captions, a.labels) == (b.name, b.captions, b.labels)
        and np.array_equal(a.joints, b.joints) for a, b in pairs
    )  # fmt: skip


def test_a_clip_is_resampled_scaled_and_on_the_floor(tmp_path):
    (clip,) = source(folder(tmp_path, {WALK: bvh(frames=61)})).clips()
    assert isinstance(clip, Clip)
    assert clip.joints.shape == (41, 22, 3) and clip.joints.dtype == np.float32
    assert clip.joints[:, :, 1].min() == 0.0
    travelled = clip.joints[-1, 0] - clip.joints[0, 0]
    np.testing.assert_allclose(travelled, [0.0, 0.0, 2.4], atol=1e-4)
    # 4 cm lie between the toes and the floor
    np.testing.assert_allclose(clip.joints[0, 0, 1], 0.87, atol=1e-5)
    assert clip.joints[0, 16, 0] > 0 > clip.joints[0, 17, 0]


def test_another_frame_rate_is_resampled_and_the_captions_stay(tmp_path):
    files = folder(tmp_path, {WALK: bvh(frames=61)})
    (usual,) = source(files).clips()
    (same_rate,) = source(files, fps=30.0).clips()
    assert same_rate.joints.shape == (61, 22, 3) and same_rate.joints.dtype == np.float32
    np.testing.assert_allclose(same_rate.joints[::3], usual.joints[::2], atol=1e-5)
    assert same_rate.captions == usual.captions
    (cut,) = source(files, fps=30.0, max_frames=30).clips()  # captions are of what is kept
    (usual_cut,) = source(files, max_frames=20).clips()
    assert len(cut.joints) == 31 and cut.captions == usual_cut.captions


def test_folder_archive_and_workers_give_the_same(tmp_path):
    files = {BOW: bvh(50, 0.0), RUN: bvh(45, 2.6), WALK: bvh()}
    of_folder = list(source(folder(tmp_path / "folder", files)).clips())
    archive = packed(tmp_path / "all.tar.xz", files)
    assert [clip.name for clip in of_folder] == [BOW, RUN, WALK]
    assert same(of_folder, list(source(archive).clips()))
    assert same(of_folder, list(source(archive, workers=2).clips()))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.tar.xz", "folder"]


def test_a_zip_in_a_zip_is_read_and_a_name_only_once(tmp_path):
    inner = zipped({f"data/{WALK}.bvh": bvh(), f"data/{RUN}.bvh": bvh(45, 2.6)})
    path = tmp_path / "repository.zip"
    path.write_bytes(zipped({f"set/data/{WALK}.bvh": bvh(), "set/data.zip": inner,
                             "set/videos.zip": b"version https://git-lfs"}))  # fmt: skip
    assert [clip.name for clip in source(path).clips()] == [WALK, RUN]


def test_long_clips_are_cut_and_measured_on_what_is_kept(tmp_path):
    (clip,) = source(folder(tmp_path, {WALK: bvh(601, 1.0)}), max_frames=80).clips()
    assert len(clip.joints) == 81
    for caption in clip.captions:
        assert not re.search(r"\b(20|19|nineteen|twenty) (seconds|meters)", caption.text)


def test_options_choose_clips(tmp_path):
    path = folder(tmp_path, {BOW: bvh(50, 0.0), RUN: bvh(45, 2.6), WALK: bvh()})

    def names(**options):
        return [clip.name for clip in source(path, **options).clips()]

    assert names(datasets=[2]) == [RUN, WALK]
    assert names(contents=["bow", "walk"]) == [BOW, WALK]
    assert names(styles=["active"]) == [RUN]
    assert names(limit=1) == [BOW]
    assert source(path, limit=1).expected_counts == {}


def test_broken_and_excluded_clips_are_bad_and_say_why(tmp_path):
    excluded = sorted(EXCLUDED)[0]
    files = {WALK: bvh()[:-300], RUN: bvh(), BOW: bvh(1), excluded: bvh()}
    clips = {clip.name: clip for clip in source(folder(tmp_path, files)).clips()}
    assert isinstance(clips[RUN], Clip)
    for name, words in ((WALK, "expected"), (BOW, "too short"), (excluded, "excluded")):
        assert isinstance(clips[name], BadClip) and words in clips[name].reason


def test_nothing_is_read_before_clips_are_asked_for(tmp_path):
    missing = source(tmp_path / "nowhere", repository="owner/name")
    assert missing.expected_counts == {"train": 2403, "val": 163, "test": 497}
    with pytest.raises(UserError, match=r"nowhere.*data\.source\.download=true.*owner/name"):
        next(missing.clips())
    with pytest.raises(UserError, match="no BVH file"):
        list(source(folder(tmp_path, {"other": b""})).clips())


@pytest.mark.parametrize("option", [
    {"split": "random"}, {"datasets": [3]}, {"contents": ["fly"]}, {"styles": ["calm"]},
    {"max_frames": 0}, {"limit": 0}, {"workers": -1},
])  # fmt: skip
def test_wrong_options_are_named(tmp_path, option):
    with pytest.raises(UserError, match=f"data.source.{next(iter(option))}"):
        source(tmp_path, **option)


def test_a_missing_archive_is_downloaded_once(tmp_path):
    content = zipped({f"data/{WALK}.bvh": bvh()})
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/all.zip"
        path = tmp_path / "sets" / "all.zip"
        wrong = source(path, download=True, url=url, sha256="0" * 64)
        with pytest.raises(UserError, match="sha256"):
            next(wrong.clips())
        assert not path.exists()
        other = source(path, download=True, url=url, content_sha256="0" * 64)
        with pytest.raises(UserError, match="have digest"):
            next(other.clips())
        digest = content_sha256(path)
        path.unlink()
        right = source(path, download=True, url=url, content_sha256=digest)
        assert [clip.name for clip in right.clips()] == [WALK]
        assert [clip.name for clip in right.clips()] == [WALK]
        assert asked == ["/all.zip"] * 3 and list(path.parent.iterdir()) == [path]
    finally:
        server.shutdown()
        server.server_close()


def test_splits_are_functions_of_the_names():
    by_hash, by_cell = SPLITS["hash"], SPLITS["held_out_cells"]
    names = [ClipName(2, "walk", "normal", number) for number in range(1, 1001)]
    counts = Counter(by_hash(name) for name in names)
    assert 750 < counts["train"] < 850 and 30 < counts["val"] < 75
    assert by_hash(ClipName(1, "kick", "normal", 1)) == "train"
    cells = {(name.content, name.style) for name in ALL_NAMES
             if name.dataset == 2 and held_out_cell(name.content, name.style)}  # fmt: skip
    assert len(cells) == 8
    content, style = sorted(cells)[0]
    assert {by_cell(ClipName(2, content, style, n)) for n in range(1, 100)} == {"test"}
    seen = [name for name in ALL_NAMES if name.dataset == 2 and by_cell(name) != "test"]
    assert not cells & {(name.content, name.style) for name in seen}


ALL_NAMES = [
    ClipName(dataset, content, style, 1)
    for dataset in (1, 2)
    for content in LABELS
    for style in STYLES
    if dataset == 1 or (
        content in {"walk", "walk-turn-left", "walk-turn-right", "run"}
        | {c for c in LABELS if c.startswith(("wave-", "raise-"))}
        and style in {"active", "elderly", "exhausted", "feminine", "masculine", "normal",
                      "youthful"}
    )
]  # fmt: skip


# Styles of dataset 1 and of dataset 2 that mean the same, as the README of the data says.
SAME_STYLE = {"old": "elderly", "tired": "exhausted", "masculinity": "masculine",
              "childish": "youthful"}  # fmt: skip


def test_no_twin_of_a_held_out_cell_is_in_training():
    """What shows the same (contents by their labels, styles by their meaning) is in test alone."""
    by_cell = SPLITS["held_out_cells"]
    numbered = [replace(name, number=number) for name in ALL_NAMES for number in range(1, 26)]
    shown = {}
    for name in numbered:
        cell = (LABELS[name.content], SAME_STYLE.get(name.style, name.style))
        shown.setdefault(cell, set()).add(by_cell(name))
    held_out = {cell for cell, splits in shown.items() if "test" in splits}
    assert len(held_out) == 8
    for cell in held_out:
        assert shown[cell] <= {"test", None}, cell
    # Those of dataset 1 do exist, and go nowhere.
    assert by_cell(ClipName(1, "walk", "old", 1)) is by_cell(ClipName(1, "run", "tired", 1)) is None
    assert by_cell(ClipName(2, "walk", "elderly", 1)) == "test"


def test_the_source_leaves_twins_of_a_held_out_cell_out(tmp_path):
    old, elderly = "dataset-1_walk_old_001", "dataset-2_walk_elderly_001"
    path = folder(tmp_path, {old: bvh(), elderly: bvh(), WALK: bvh()})
    found = {clip.name: clip for clip in source(path, split="held_out_cells").clips()}
    assert isinstance(found[old], BadClip) and "held out" in found[old].reason
    assert found[elderly].split == "test" and found[WALK].split in ("train", "val")
    assert {clip.split for clip in source(path).clips()} <= {"train", "val", "test"}


def test_every_caption_names_its_labels_and_no_other():
    raised = dict.fromkeys(SIDES, 0.3)
    lively = replace(
        STILL, distance=5.0, displacement=4.9, speed=1.5, turn=91.0, steps=9, bend=50.0,
        wrist_above_head=raised, wrist_above_shoulder=raised, swings=dict.fromkeys(SIDES, 5),
    )  # fmt: skip
    for name in ALL_NAMES:
        for measured in (STILL, lively):
            told = captions(name, measured)
            assert len({caption.text.rstrip(".") for caption in told}) == 3
            for caption in told:
                found = named_actions(caption.text, ACTION_WORDS)
                assert found == frozenset(LABELS[name.content]), f"{name}: {caption.text}"
                assert not re.search(r"[{}<>]|  | ,", caption.text), caption.text
                assert not re.search(r"\b(leting|begining|runing|puting|giveing)\b", caption.text)
    assert captions(ALL_NAMES[0], lively) == captions(ALL_NAMES[0], lively)


def texts(content: str, measured: Measurements, style: str = "normal") -> str:
    """Captions of forty clips with the same measurements."""
    clips = (ClipName(2, content, style, number) for number in range(1, 41))
    return "\n".join(caption.text for name in clips for caption in captions(name, measured))


def test_captions_say_what_was_measured():
    raised = dict.fromkeys(SIDES, 0.3)
    up = replace(STILL, wrist_above_head=raised, wrist_above_shoulder=raised)
    assert "above their head" in texts("raise-up-both-hands", up)
    level = replace(STILL, wrist_above_shoulder=dict.fromkeys(SIDES, 0.0))
    told = texts("raise-up-left-hand", level)
    assert "above their head" not in told and "shoulder height" in told
    waving = replace(up, seconds=7.0, swings={"left": 5, "right": 0})
    assert "about five times" in texts("wave-left-hand", waving)
    assert "times" not in texts("wave-both-hands", waving)
    walking = replace(STILL, distance=7.0, displacement=6.0, speed=0.6, steps=10, seconds=5.5)
    told = texts("walk", walking)
    assert "about seven meters" in told and "slow" in told and "ten steps" in told
    assert "straight" not in told and "seconds" not in told and "quick" not in told
    told = texts("walk-turn-right", replace(walking, turn=-93.0))
    assert "about 90 degrees" in told and "left" not in told


def test_figures_are_stated_only_where_clear():
    assert metres(7.1) == "about seven meters" and metres(2.6) == "about two and a half meters"
    assert metres(1.1) == "about one meter" and metres(0.6) == ""
    assert seconds(6.9) == "about seven seconds" and seconds(6.5) == "" and seconds(1.0) == ""
    assert degrees(-94.0) == "about 90 degrees" and degrees(104.0) == "about 105 degrees"
    assert degrees(20.0) == ""


def test_most_captions_of_a_style_name_it():
    told = texts("run", STILL, style="old").splitlines()
    assert sum("old" in text or "elderly" in text for text in told) > 0.6 * len(told)


@pytest.mark.long
@pytest.mark.slow
def test_the_whole_set():
    path = shared("data", "bandai_namco", "bandai_all.tar.xz")
    whole = BandaiNamcoSource(str(path), workers=2)
    found = list(whole.clips())
    clips = [clip for clip in found if isinstance(clip, Clip)]
    assert len(found) == len(whole) and len(found) - len(clips) == 13
    assert Counter(clip.split for clip in clips) == whole.expected_counts
    cells = Counter(SPLITS["held_out_cells"](ClipName.parse(clip.name)) for clip in clips)
    assert cells["test"] == 296
    for clip in clips:
        for caption in clip.captions:
            assert named_actions(caption.text, ACTION_WORDS) == frozenset(clip.labels)
    assert len({caption.text for clip in clips for caption in clip.captions}) > 7000
    # The pelvis is 0.91 m above the floor, 4 to 5 cm of which lie below the toes.
    pelvis = np.median([np.median(clip.joints[:, 0, 1]) for clip in clips])
    assert 0.85 < pelvis < 0.88
