"""CMU captures with HumanML3D's captions: on tiny files, and where ../shared is present on those."""

import hashlib
import http.server
import io
import json
import tarfile
import threading
import zipfile
from typing import ClassVar

import numpy as np
import pytest

from launch.composition.build import build
from launch.composition.compose import compose_config
from motiongpt.data.build import build_store
from motiongpt.data.clip import BadClip, Clip, SourceMissing
from motiongpt.data.cmu.rates import capture_fps
from motiongpt.data.cmu.source import CmuCaptionedSource
from motiongpt.data.cmu.words import read_words
from motiongpt.data.github import GitHubRepository
from motiongpt.data.verify import verify_source
from motiongpt.errors import UserError
from tests.shared import shared
from tests.unit.asf_amc_text import amc, asf
from tests.unit.bvh_joints import bvh_to_joints
from tests.unit.bvh_text import stick, write


def with_t_pose(text):
    """The first frame without a turn of the root, as cgspeed's T-pose."""
    head, _, rows = text.partition("Frame Time: .0083333\n")
    first, _, rest = rows.partition("\n")
    place = " ".join(first.split()[:3])
    return f"{head}Frame Time: .0083333\n{place} 0 0 0\n{rest}"


# A T-pose and 301 frames: 50 intervals at 20 per second.
BVH_120 = with_t_pose(stick(302, "cmu", frame_time=".0083333"))
INDEX = """source_path,start_frame,end_frame,new_name
./pose_data/KIT/3/kick_high_left02_poses.npy,0,117,000000.npy
./pose_data/CMU/01/01_01_poses.npy,10,51,000001.npy
./pose_data/CMU/20_21_rory1/60_02_poses.npy,0,100,000002.npy
./pose_data/CMU/77/77_23_poses.npy,0,20,000003.npy
./pose_data/CMU/02/02_09_poses.npy,0,20,000004.npy
"""
TEXTS = {
    "000001": "a person walks#a/DET person/NOUN walk/VERB#0.0#0.0\nthen turns#then/ADV#0.5#1.5\n",
    "000002": "someone sits#someone/PRON sit/VERB#0.0#0.0\n",
    "000003": "a man runs#man/NOUN#0.0#0.0\n",
    "000004": "a man hops#man/NOUN#0.0#0.0\n",
    "000000": "a kick#kick/NOUN#0.0#0.0\n",
}


def zipped(files):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


def words_of_humanml3d():
    return {
        "index.csv": INDEX.encode(),
        "HumanML3D/texts.zip": zipped({f"texts/{name}.txt": text for name, text in TEXTS.items()}),
        "HumanML3D/train.txt": b"000001\nM000001\n000003\n000000",
        "HumanML3D/val.txt": b"000004\n",
        "HumanML3D/test.txt": b"000002\n",
    }


@pytest.fixture
def folder(tmp_path):
    """Words in HumanML3D's form; a BVH at 120 frames per second, an AMC at 60."""
    root = tmp_path / "cmu"
    for name, content in words_of_humanml3d().items():
        path = root / "HumanML3D" / name.rpartition("/")[2]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    write(root / "data" / "001" / "01_01.bvh", BVH_120)
    write(root / "all" / "60_02.amc", amc(301))
    write(root / "all" / "60.asf", asf())
    write(root / "all" / "01.asf", asf(units=":units\n length 0.36\n angle deg\n"))
    return root


def clips_of(folder, **settings):
    source = CmuCaptionedSource(str(folder), workers=0, **settings)
    return {item.name: item for item in source.clips()}


def lines(folder, *entries):
    write(folder / "captions.jsonl", "".join(json.dumps(entry) + "\n" for entry in entries))


def entry(**changed):
    known = {"id": "000009", "trial": "01_01", "start": 10, "end": 51, "split": "train"}
    return {**known, "captions": ["a person walks"], **changed}


def test_clips_are_cut_at_the_bounds_of_the_index(folder, caplog):
    clips = clips_of(folder)
    assert list(clips) == ["000001", "000001@0.5-1.5", "000002"]
    whole, part, slow = clips.values()
    assert [clip.split for clip in clips.values()] == ["train", "train", "test"]
    assert [one.text for one in whole.captions] == ["a person walks"]
    assert [one.tokens for one in part.captions] == ["then/ADV"]
    # the T-pose is left out: frame i at 20 fps is row 1 + 6 i of the file
    rows = bvh_to_joints(folder / "data" / "001" / "01_01.bvh", fps=120.0)
    np.testing.assert_allclose(whole.joints, rows[1 + 60 : 1 + 60 + 6 * 41 : 6], atol=1e-6)
    np.testing.assert_array_equal(part.joints, whole.joints[10:31])
    assert slow.joints.shape == (100, 22, 3)  # at 60 frames per second 297 frames of the AMC
    (absent,) = caplog.messages
    assert "no motion file for 2 of 4 clips (2 trials: 02_09, 77_23)" in absent


def test_another_frame_rate_keeps_the_seconds(folder):
    whole = clips_of(folder, fps=40.0, max_frames=500)["000001"]
    assert len(whole.joints) == 81
    np.testing.assert_allclose(whole.joints[::2], clips_of(folder)["000001"].joints, atol=1e-6)


def test_an_amc_has_the_skeleton_of_its_subject_else_another(folder, caplog):
    own = clips_of(folder)["000002"]
    assert "another's is taken" not in caplog.text
    (folder / "all" / "60.asf").unlink()
    other = clips_of(folder)["000002"]
    assert "no ASF file of the subjects of 60_02: another's is taken" in caplog.text
    sizes = [np.ptp(clip.joints[0], axis=0).max() for clip in (own, other)]
    assert 1.2 < sizes[1] / sizes[0] < 1.3
    (folder / "all" / "01.asf").unlink()
    assert "no ASF skeleton in the folder" in clips_of(folder)["000002"].reason


def test_loose_packed_and_several_processes_give_the_same(folder, tmp_path):
    loose = clips_of(folder)
    for kind in ("tar", "zip"):
        other = tmp_path / kind
        other.mkdir(exist_ok=True)
        for path in (folder / "HumanML3D").iterdir():
            (other / path.name).write_bytes(path.read_bytes())
        files = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*")
            if path.suffix in (".bvh", ".amc", ".asf")
        }
        if kind == "zip":
            (other / "motions.zip").write_bytes(zipped(files))
        else:
            with tarfile.open(other / "motions.tar.xz", "w:xz") as archive:
                for name, content in files.items():
                    member = tarfile.TarInfo(name)
                    member.size = len(content)
                    archive.addfile(member, io.BytesIO(content))
        source = CmuCaptionedSource(str(other), workers=1 if kind == "tar" else 0)
        assert f"motions.{'zip' if kind == 'zip' else 'tar.xz'}" in source.files()
        packed = {item.name: item for item in source.clips()}
        assert list(packed) == list(loose)
        for name, clip in packed.items():
            np.testing.assert_array_equal(clip.joints, loose[name].joints)


def test_lines_name_clips_too(folder):
    lines(folder, entry(), entry(id="x", fps=60.0, start=0, end=20), entry(id="y", trial="60_02"))
    clips = clips_of(folder)
    assert list(clips) == ["000009", "x", "y"]
    rows = bvh_to_joints(folder / "data" / "001" / "01_01.bvh", fps=120.0)
    np.testing.assert_allclose(clips["x"].joints, rows[1 : 1 + 3 * 20 : 3], atol=1e-6)


@pytest.mark.parametrize(("changed", "says"), [
    ({"end": 52}, "ends at frame 306 of trial 01_01 at 120 fps, the file has 301"),
    ({"end": 18}, "too short: 7 frames"), ({"fps": None}, "rate of capture of trial 01_01 is not"),
])  # fmt: skip
def test_clips_that_cannot_be_cut_are_bad(folder, changed, says):
    lines(folder, entry(**changed), entry(id="good"))
    clips = clips_of(folder)
    assert isinstance(clips["good"], Clip)
    assert isinstance(clips["000009"], BadClip) and says in clips["000009"].reason


@pytest.mark.parametrize(("changed", "says"), [
    ({"trial": "../../etc"}, "a trial such as 02_01"), ({"start": -1}, "the first frame"),
    ({"end": 10}, "the first frame"), ({"end": "nan"}, "the first frame"), ({"fps": True}, "fps"),
    ({"fps": 0}, "fps"), ({"split": "all"}, "split, one of"), ({"captions": "walks"}, "a list of"),
    ({"id": 9}, "id, a text"),
])  # fmt: skip
def test_malformed_lines_are_named(folder, changed, says):
    lines(folder, entry(), entry(**changed))
    with pytest.raises(UserError, match=rf"captions.jsonl:2: expected .*{says}"):
        clips_of(folder)


@pytest.mark.parametrize(("name", "content", "says"), [
    ("index.csv", b"a,b\n", "index.csv:1: expected the columns"),
    ("index.csv", INDEX.replace(",10,51", ",10", 1).encode(), "index.csv:3: expected 4 fields"),
    ("index.csv", b"\xff\xfe", "can't be read as UTF-8"),
    ("texts.zip", b"PK no zip", "not a whole zip archive of captions"),
])  # fmt: skip
def test_damaged_words_are_named(folder, name, content, says):
    (folder / "HumanML3D" / name).write_bytes(content)
    with pytest.raises(UserError, match=says):
        clips_of(folder)


def test_missing_words_and_motions_say_how_to_get_them(folder, tmp_path):
    with pytest.raises(SourceMissing, match=r"no folder .*data.source.download=true"):
        clips_of(tmp_path / "nowhere")
    (folder / "data" / "001" / "01_01.bvh").unlink()
    (folder / "all" / "60_02.amc").unlink()
    with pytest.raises(UserError, match=r"no motion file of a captioned trial; expected files"):
        clips_of(folder)
    (folder / "HumanML3D" / "val.txt").unlink()
    with pytest.raises(SourceMissing, match=r"neither captions.jsonl nor HumanML3D's index.csv"):
        clips_of(folder)


def test_found_stands_beside_expected(folder, tmp_path, capsys):
    source = CmuCaptionedSource(str(folder), workers=0)
    found = verify_source(source, progress=False)
    assert found.found == {"train": 1, "val": 0, "test": 1}
    assert "train found 1, expected 2,303, usable 2  <- differs" in found.lines()
    store = build_store(source, tmp_path / "store", progress=False)
    assert "train has 1 clips, expected 2,303" in store.shortfall


def sha1(content):
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


@pytest.fixture
def hub():
    """A server with both repositories; `hub.files` can be changed, `hub.asked` is what it sent."""

    class Handler(http.server.BaseHTTPRequestHandler):
        files: ClassVar[dict[str, bytes]] = {}
        asked: ClassVar[list[str]] = []

        def do_GET(self):
            self.asked.append(self.path)
            content = self.files.get(self.path)
            first = int(self.headers.get("Range", "bytes=0-")[6:-1])
            self.send_response(404 if content is None else 206 if first else 200)
            sent = (content or b"")[first:]
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Handler.files, Handler.asked = {}, []
    Handler.address = f"http://127.0.0.1:{server.server_port}"
    motions = {"data/001/01_01.bvh": BVH_120.encode(), "data/009/09_09.bvh": b"not wanted"}
    for name, files in {"words": words_of_humanml3d(), "motions": motions}.items():
        tree = [{"path": path, "type": "blob", "sha": sha1(files[path])} for path in files]
        listing = {
            "truncated": False,
            "tree": [*tree, {"path": "data", "type": "tree", "sha": "0"}],
        }
        Handler.files[f"/{name}/tree"] = json.dumps(listing).encode()
        Handler.files |= {f"/{name}/main/{path}": content for path, content in files.items()}
    yield Handler
    server.shutdown()
    server.server_close()


def fetching(hub, folder):
    words, motions = (
        GitHubRepository(f"some/{name}", f"{hub.address}/{name}/tree", f"{hub.address}/{name}/main")
        for name in ("words", "motions")
    )
    return CmuCaptionedSource(
        str(folder), workers=0, download=True, progress=False, words=words, motions=motions
    )


def test_what_is_absent_is_fetched_once_and_compared(hub, tmp_path, caplog):
    folder = tmp_path / "new"
    clips = {clip.name for clip in fetching(hub, folder).clips()}
    assert clips == {"000001", "000001@0.5-1.5"}
    assert "some/motions has no BVH file of 2 of 3 trials: 02_09, 60_02" in caplog.text
    assert not any("09_09" in path for path in hub.asked)
    asked = len(hub.asked)
    assert {clip.name for clip in fetching(hub, folder).clips()} == clips
    assert len(hub.asked) == asked == 8  # two lists, five files of words, one motion


def test_an_interrupted_download_goes_on(hub, tmp_path):
    folder = tmp_path / "new"
    whole = hub.files.pop("/motions/main/data/001/01_01.bvh")
    with pytest.raises(UserError, match=r"01_01.bvh failed: .*run the same command again to go on"):
        list(fetching(hub, folder).clips())
    hub.files["/motions/main/data/001/01_01.bvh"] = whole
    (folder / "motions" / "01_01.bvh.part").write_bytes(whole[:1000])
    hub.asked.clear()
    assert list(fetching(hub, folder).clips())
    assert hub.asked == ["/motions/main/data/001/01_01.bvh"]
    assert (folder / "motions" / "01_01.bvh").read_bytes() == whole


def test_bytes_that_are_not_the_published_ones_are_refused(hub, tmp_path):
    hub.files["/motions/main/data/001/01_01.bvh"] += b"\n"
    with pytest.raises(UserError, match=r"01_01.bvh: its Git checksum is \w{40}, expected \w{40}"):
        list(fetching(hub, tmp_path / "new").clips())
    assert not list((tmp_path / "new" / "motions").iterdir())


@pytest.mark.parametrize("listing", [b"[]", b"{}", b'{"truncated": true, "tree": []}', b"<html>"])
def test_what_is_no_list_of_files_is_named(hub, tmp_path, listing):
    hub.files["/words/tree"] = listing
    with pytest.raises(UserError, match="not the list of the files of some/words"):
        list(fetching(hub, tmp_path / "new").clips())


def test_a_file_that_a_repository_no_longer_has_is_named(hub, tmp_path):
    listing = hub.files["/words/tree"].replace(b"texts.zip", b"words.zip")
    hub.files["/words/tree"] = listing
    with pytest.raises(UserError, match="some/words has no file texts.zip any more"):
        list(fetching(hub, tmp_path / "new").clips())


def test_rates_are_those_of_the_whole_index():
    index = shared("data", "cmu_captioned", "index.jsonl")
    rows = [json.loads(line) for line in index.read_text().splitlines()]
    assert len(rows) == 2913
    wrong = [row["trial"] for row in rows if capture_fps(row["trial"]) != row["fps"]]
    assert not wrong


@pytest.fixture(scope="module")
def at_hand():
    """All clips that ../shared has, by name."""
    source = CmuCaptionedSource(str(shared("data", "cmu_captioned")), workers=0)
    return {clip.name: clip for clip in source.clips()}


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_all_clips_at_hand_are_read(at_hand):
    words = {one.name: one for one in read_words(shared("data", "cmu_captioned"))}
    assert len(words) == 256 == len(at_hand)
    for name, clip in at_hand.items():
        assert isinstance(clip, Clip), clip
        assert len(clip.joints) == words[name].end - words[name].start
        height = np.median(np.ptp(clip.joints[..., 1], axis=1))
        assert 0.4 < height < 2.3, (name, height)


def test_its_yaml_builds_what_the_class_takes(tmp_path):
    config = compose_config(["data=cmu_captioned", f"data.source.path={tmp_path}"])
    with pytest.raises(SourceMissing, match="data.source.download=true"):
        build(config.data.source).files()
