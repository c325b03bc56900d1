"""Texts of strangers: captions, lists, sentences, JSON lines and yaml."""

import json

import numpy as np
import pytest

from tests.unit.bvh_text import stick, write
from tests.unit.hostile.harness import (
    ODD_FILES,
    check_line,
    check_refused,
    check_skipped,
    run,
)
from tests.unit.humanml3d_folder import Folder

pytestmark = pytest.mark.timeout(60)
DEEP = "[" * 100_000
BOMB = "\n".join(
    [
        "a0: &a0 [lol, lol]",
        *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)),
    ]
)
LINE = {"file": "good", "caption": "walks", "split": "train"}
LONG = "walk " * 2_000_000
DIGITS = "9" * 5_000

# One line of a captions file that names a clip which is there: the clip is left out, others stay.
BAD_CAPTIONS = {
    "surrogate": '"caption": "walks \\ud800"',
    "null": '"caption": "walks \\u0000"',
    "escape": '"caption": "walks \\u001b[2J"',
    "bell": '"caption": ["walks", "\\u0007"]',
    "c1": '"caption": "walks \\u009b31m"',
    "long": f'"caption": "{LONG}"',
    "empty": '"caption": ""',
    "split_surrogate": '"caption": "walks", "split": "\\udfff"',
    "split_escape": '"caption": "walks", "split": "\\u001b[2J"',
    "label_surrogate": '"caption": "walks", "label": "\\ud800"',
    "label_escape": '"caption": "walks", "label": "\\u001b[2J"',
    "label_long": f'"caption": "walks", "label": "{LONG}"',
}
# One line that is none: the whole file is refused, and the line is named.
BAD_LINES = {
    "deep": f'{{"file": "bad", "caption": {DEEP}',
    "deep_line": DEEP,
    "number_digits": f'{{"file": "bad", "caption": {DIGITS}}}',
    "number": '{"file": "bad", "caption": 1e999}',
    "nan": '{"file": "bad", "caption": NaN}',
    "keys_many": "{" + ", ".join(f'"k{n}": 1' for n in range(20_000)) + "}",
    "key_escape": '{"file": "bad", "caption": "x", "\\u001b[2J": 1}',
    "key_surrogate": '{"file": "bad", "caption": "x", "\\ud800": 1}',
    "open": '{"file": "bad", "caption": "x',
    "list": "[1, 2]",
    "control": '{"file": "bad", "caption": "a\x01b"}',
    "file_list": '{"file": ["bad"], "caption": "x"}',
    "file_long_list": f'{{"file": [{"1, " * 100_000}1], "caption": "x"}}',
    "caption_dictionary": '{"file": "bad", "caption": {"a": "b"}}',
}
NOT_THERE = {  # a name of no file: said, whatever is in it
    "surrogate": "\\ud800",
    "escape": "\\u001b[2J",
    "null": "a\\u0000b",
    "above": "../../../etc/passwd",
    "absolute": "/etc/passwd",
    "long": "x" * 100_000,
}


@pytest.fixture
def folder(tmp_path):
    for name in ("good", "bad"):
        write(tmp_path / f"{name}.bvh", stick())
    return tmp_path


def verify(folder, *lines, name="captions.jsonl"):
    text = "".join(line + "\n" for line in [json.dumps(LINE), *lines])
    (folder / name).write_bytes(text.encode())
    where = [f"data.source.path={folder}", f"data.source.captions={name}"]
    return run(["data", "verify", "data=bvh_folder", *where, "--strict"])


@pytest.mark.parametrize("name", BAD_CAPTIONS)
def test_clips_with_bad_captions_are_named(name, folder):
    check_skipped(verify(folder, f'{{"file": "bad", {BAD_CAPTIONS[name]}}}'), "bad")


@pytest.mark.parametrize("name", BAD_LINES)
def test_lines_that_are_none_are_refused(name, folder):
    check_refused(verify(folder, BAD_LINES[name]), ["captions.jsonl:2"])


@pytest.mark.parametrize("name", NOT_THERE)
def test_files_that_are_not_there_are_named(name, folder):
    (folder / "bad.bvh").unlink()
    ran = verify(folder, f'{{"file": "{NOT_THERE[name]}", "caption": "x"}}')
    check_skipped(ran, "")


@pytest.mark.parametrize("line", ['bad,"open', f"bad,{LONG}", "bad,a\0b", "bad", "bad,a,b,c,d,e"])
def test_bad_rows_of_a_table_are_named(line, folder):
    (folder / "c.csv").write_bytes(f"file,caption,split\ngood,walks,train\n{line}\n".encode())
    where = [f"data.source.path={folder}", "data.source.captions=c.csv"]
    ran = run(["data", "verify", "data=bvh_folder", *where, "--strict"])
    if ran.errors:
        check_refused(ran, ["c.csv"])
    else:
        check_skipped(ran, "bad")


@pytest.mark.parametrize("kind", ["fifo", "directory", "device", "loop", "utf16", "zeros"])
def test_what_is_no_captions_file_is_refused(kind, folder):
    path = folder / "c.jsonl"
    more = {
        "utf16": lambda p: p.write_text(json.dumps(LINE), "utf-16"),
        "zeros": lambda p: p.write_bytes(bytes(9_000)),
    }
    (ODD_FILES | more)[kind](path)
    where = [f"data.source.path={folder}", "data.source.captions=c.jsonl"]
    check_refused(run(["data", "verify", "data=bvh_folder", *where, "--strict"]), ["c.jsonl"])


def test_prepare_leaves_the_same_clips_out(folder):
    lines = [json.dumps(LINE), f'{{"file": "bad", {BAD_CAPTIONS["surrogate"]}, "split": "train"}}']
    (folder / "captions.jsonl").write_text("\n".join(lines))
    ran = run(["data", "prepare", "data=bvh_folder", f"data.source.path={folder}",
               f"paths.root={folder / 'out'}", "data.store.min_frames=8"])  # fmt: skip
    assert ran.status == 0 and "1 rejected: bad" in ran.out, ran


MAPPINGS = {
    "bomb": BOMB + "\nmetres_per_unit: *a29\njoints: {pelvis: *a29}",
    "bomb_in_joints": BOMB + "\nmetres_per_unit: 1\njoints: {pelvis: *a29}",
    "bomb_as_key": BOMB + "\n? *a29\n: 1",
    "bomb_merged": "a: &a {x: 1}\nb: &b {<<: [*a, *a], y: 1}\n<<: *b\njoints: {pelvis: x}",
    "itself": "joints: &a {pelvis: *a}\nmetres_per_unit: 1",
    "tag": "!!python/object/apply:os.system ['touch executed']",
    "tag_inside": "joints: {pelvis: !!python/name:os.system x}",
    "tag_unknown": "joints: {pelvis: !mine x}",
    "deep": "joints: " + "[" * 20_000,
    "deep_block": "\n".join(" " * n + "a:" for n in range(2_000)),
    "digits": f"metres_per_unit: {DIGITS}\njoints: {{pelvis: x}}",
    "date": "metres_per_unit: 9999-99-99\njoints: {pelvis: x}",
    "base60": "metres_per_unit: 1:1:1:1\njoints: {pelvis: x}",
    "escape": 'joints: {"\\e[2J": x}\nmetres_per_unit: 1',
    "null": "joints:\0",
    "two_documents": "a: 1\n---\nb: 2",
    "tabs": "\tjoints:\n\t\tpelvis: x",
    "scalar": "x" * 1_000_000,
    "nothing": "",
}


@pytest.mark.parametrize("name", MAPPINGS)
def test_bad_mappings_are_refused(name, folder, monkeypatch):
    monkeypatch.chdir(folder)
    path = folder / f"{name}.yaml"
    path.write_text(MAPPINGS[name])
    ran = run(
        ["data", "joints", str(folder / "good.bvh"), str(folder / "o.npy"), "--mapping", str(path)]
    )
    check_refused(ran, [path.name])
    assert not (folder / "executed").exists()


@pytest.mark.parametrize("kind", ["fifo", "directory", "device"])
def test_what_is_no_mapping_is_refused(kind, folder):
    path = folder / "m.yaml"
    ODD_FILES[kind](path)
    ran = run(
        ["data", "joints", str(folder / "good.bvh"), str(folder / "o.npy"), "--mapping", str(path)]
    )
    check_refused(ran, ["m.yaml"])


TEXTS = {
    "surrogate": b"walks \xed\xa0\x80#a/DET#0.0#0.0",
    "null": b"walks \0#a/DET#0.0#0.0",
    "escape": b"walks \x1b[2J#a/DET#0.0#0.0",
    "tokens_escape": b"walks#\x1b[2J/DET#0.0#0.0",
    "long": LONG.encode() + b"#a/DET#0.0#0.0",
    "fields": b"#" * 1_000_000,
    "seconds_digits": b"walks#a/DET#" + DIGITS.encode() + b"#0.0",
    "seconds_escape": b"walks#a/DET#\x1b[2J#0.0",
    "seconds_long": b"walks#a/DET#" + b"x" * 1_000_000 + b"#0.0",
    "seconds_huge": b"walks#a/DET#1e308#1e308",
    "utf16": "walks#a/DET#0.0#0.0".encode("utf-16"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_bad_texts_of_a_data_set_are_named(name, tmp_path):
    folder = Folder(tmp_path / "set")
    folder.clip("000001")
    folder.clip("bad")
    (folder.path / "texts" / "bad.txt").write_bytes(TEXTS[name])
    where = [f"data.source.path={folder.path}", "--strict"]
    check_skipped(run(["data", "verify", "data=humanml3d", *where]), "bad")


@pytest.mark.parametrize("kind", ["fifo", "directory", "device", "loop"])
def test_what_is_no_text_of_a_data_set_is_named(kind, tmp_path):
    folder = Folder(tmp_path / "set")
    folder.clip("000001")
    folder.clip("bad", text=None)
    path = folder.path / "texts" / "bad.txt"
    ODD_FILES[kind](path)
    where = [f"data.source.path={folder.path}", "--strict"]
    check_skipped(run(["data", "verify", "data=humanml3d", *where]), "bad")


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "a\0b", "\x1b[2J", "x" * 100_000]
)
def test_ids_that_are_no_names_are_said(name, tmp_path):
    folder = Folder(tmp_path / "set")
    folder.clip("000001")
    (folder.path / "train.txt").write_text(f"000001\n{name}\n")
    ran = run(["data", "verify", "data=humanml3d", f"data.source.path={folder.path}", "--strict"])
    check_skipped(ran, "")


@pytest.mark.parametrize("kind", ["fifo", "directory", "device", "zeros"])
def test_what_is_no_list_is_refused(kind, tmp_path):
    folder = Folder(tmp_path / "set")
    folder.clip("000001")
    path = folder.path / "val.txt"
    path.unlink()
    make = {
        **ODD_FILES,
        "zeros": lambda p: np.zeros(9, np.uint8).tofile(p) or p.write_bytes(b"\xff" * 9),
    }
    make[kind](path)
    ran = run(["data", "verify", "data=humanml3d", f"data.source.path={folder.path}", "--strict"])
    check_refused(ran, ["val.txt"])


SCORED = {
    "deep": DEEP,
    "surrogate": '{"id": "a", "references": ["walks \\ud800"], "prediction": "walks"}',
    "id_surrogate": '{"id": "\\ud800"}',
    "digits": f'{{"id": "a", "references": [{DIGITS}]}}',
    "nan": '{"id": NaN}',
    "nothing": "",
    "escape": '{"id": "\\u001b[2J", "references": 5}',
    "long_id": json.dumps({"id": "x" * 100_000, "references": 5}),
}


@pytest.mark.parametrize("name", SCORED)
def test_bad_references_are_refused(name, tmp_path):
    path = tmp_path / f"{name}.jsonl"
    path.write_text(SCORED[name] + "\n")
    ran = run(["score", "captions", "--references", str(path), "--predictions", str(path)])
    check_refused(ran, [path.name])
    for line in ran.out.splitlines():
        check_line(line, [])


@pytest.mark.parametrize("kind", ["fifo", "directory", "device"])
def test_what_is_no_file_of_references_is_refused(kind, tmp_path):
    path = tmp_path / "r.jsonl"
    ODD_FILES[kind](path)
    ran = run(["score", "captions", "--references", str(path), "--predictions", str(path)])
    check_refused(ran, ["r.jsonl"])
