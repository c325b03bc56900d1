import os

import pytest

from launch.cli import main
from motiongpt.data.clip import BadClip
from motiongpt.files import read_json, write_json
from motiongpt.printable import printable

NOT_UTF8 = os.fsdecode(b"caf\xe9")


def test_what_a_terminal_would_obey_or_utf8_refuses_is_escaped():
    assert printable("a person walks, Ü 走") == "a person walks, Ü 走"
    assert printable(f"\x1b[31m{NOT_UTF8}\x85\u2028\u202e\n") == (
        r"\x1b[31mcaf\udce9\x85\u2028\u202e\n"
    )
    assert printable("a\n\x1b", keep="\n") == "a\n\\x1b"
    assert printable(printable("\x1b")) == printable("\x1b")


def test_a_bad_clip_can_be_shown_and_saved(tmp_path):
    bad = BadClip(NOT_UTF8, "in \x1b]0;x\x07")
    assert (bad.name, bad.reason) == ("caf\\udce9", "in \\x1b]0;x\\x07")
    write_json(tmp_path / "a.json", {NOT_UTF8: [NOT_UTF8]})
    assert read_json(tmp_path / "a.json", None) == {NOT_UTF8: [NOT_UTF8]}


@pytest.mark.parametrize("name", ["\x1b[31mred.bvh", NOT_UTF8 + ".bvh"])
def test_an_error_shows_no_raw_name(name, capsys, tmp_path):
    assert main(["data", "joints", str(tmp_path / name), str(tmp_path / "out.npy")]) == 2
    said = capsys.readouterr().err
    assert "cannot read the BVH file" in said and printable(name) in said
    assert printable(said, keep="\n") == said
