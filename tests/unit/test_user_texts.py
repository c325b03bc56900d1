"""Byte order marks and line ends in the text files that people give."""

import json

import pytest
import yaml

from evaluation.evaluators.word_vectors import WordVectors
from launch.commands.demo import _parser, _sentences
from motiongpt.data.bvh import parse_bvh
from motiongpt.data.caption_file import read_caption_file
from motiongpt.data.humanml3d_texts import Span, read_captions
from motiongpt.data.joint_mapping import load_mapping
from motiongpt.data.split_lists import read_split_lists
from motiongpt.methods.motiongpt.tasks.templates import Templates
from motiongpt.motion.skeleton import HUMANML3D

BOM = b"\xef\xbb\xbf"
ODD = "one\x0b\x0c\x1c\x85\u2028two"  # str.splitlines would make seven lines of it


def mapping(path):
    joints = {name: name for name in HUMANML3D.joint_names}
    return yaml.safe_dump({"name": "mine", "metres_per_unit": 1, "joints": joints})


KIND = {"class": "t2m", "input": ["Show <Caption_Placeholder>"], "output": ["<Motion_Placeholder>"]}
FILES = {
    "text.txt": ("a person walks#a/DET#0#0", lambda path: read_captions(path)[Span()][0].text),
    "mapping.yaml": (mapping(None), lambda path: load_mapping(path).name),
    "templates.json": (
        json.dumps({"group": {"name": KIND}}),
        lambda path: Templates.read(path).kinds,
    ),
    "captions.csv": ("file,caption\nwalk,x\n", read_caption_file),
    "captions.jsonl": ('{"file": "walk", "caption": "x"}\n', read_caption_file),
    "walk.bvh": (
        "HIERARCHY\nROOT a\n{\nOFFSET 0 0 0\nCHANNELS 1 Xposition\n}\nMOTION\nFrames: 1\n"
        "Frame Time: 0.1\n1\n",
        lambda path: parse_bvh(path.read_bytes(), "x").joint_names,
    ),
    "prompts.txt": (
        "walk\nrun\n",
        lambda path: _sentences(_parser().parse_args(["m", "--example", str(path)]), "mdm"),
    ),
    "glove.txt": ("walk 1 2\nunk 3 4\n", lambda path: sorted(WordVectors.open(path).indices)),
}


@pytest.mark.parametrize("name", FILES)
def test_a_byte_order_mark_changes_nothing(name, tmp_path):
    text, read = FILES[name]
    path = tmp_path / name
    path.write_bytes(text.encode())
    plain = read(path)
    path.write_bytes(BOM + text.encode())
    assert read(path) == plain
    path.write_bytes(BOM + text.replace("\n", "\r\n").encode())
    assert read(path) == plain


def test_split_lists_with_a_byte_order_mark(tmp_path):
    for split in ("train", "val", "test"):
        (tmp_path / f"{split}.txt").write_bytes(BOM + f"{split}1\r\n{split}2\r\n".encode())
    found = read_split_lists(tmp_path)
    assert found.ids["train"] == ("train1", "train2") and not found.bad


def test_a_line_ends_where_a_newline_is_and_nowhere_else(tmp_path):
    text = tmp_path / "text.txt"
    text.write_text(f"{ODD}#a/DET#0#0\n", encoding="utf-8")
    assert [caption.text for caption in read_captions(text)[Span()]] == [ODD]
    prompts = tmp_path / "prompts.txt"
    prompts.write_text(f"{ODD}\n", encoding="utf-8")
    options = _parser().parse_args(["m", "--example", str(prompts)])
    assert [text for _, text in _sentences(options, "mdm")] == [ODD]
    for split in ("train", "val", "test"):
        (tmp_path / f"{split}.txt").write_text(f"{split}{ODD}\n", encoding="utf-8")
    assert read_split_lists(tmp_path).ids["val"] == (f"val{ODD}",)
