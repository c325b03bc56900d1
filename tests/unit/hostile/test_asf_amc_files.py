"""ASF and AMC files of strangers: refused in one line, within bounds."""

import os
from dataclasses import replace

import pytest

from tests.unit.asf_amc_text import amc, asf
from tests.unit.hostile.harness import check_skipped, run, run_apart

DIGITS = "9" * 5_000
ASF, AMC = asf(), amc(130)
FILES = {
    "nothing": ("asf", ""),
    "zeros": ("asf", "\0" * 4096),
    "cut": ("asf", ASF[: len(ASF) // 2]),
    "digits": ("asf", ASF.replace("length 0.45", f"length {DIGITS}")),
    "infinite": ("asf", ASF.replace("length 0.45", "length inf")),
    "escape": ("asf", ASF.replace("lfemur", "\x1b]0;owned\x07")),
    "long_name": ("asf", ASF.replace("lfemur", "f" * 100_000)),
    "huge_bone": ("asf", ASF.replace("length 0.45", "length 1e-300")),
    "letters": ("amc", "x" * 4_096),
    "cut_frame": ("amc", AMC[: len(AMC) - 20]),
    "frame_digits": ("amc", AMC.replace("\n2\n", f"\n{DIGITS}\n", 1)),
    "frame_superscript": ("amc", AMC.replace("\n2\n", "\n²\n", 1)),
    "value_huge": ("amc", AMC.replace("root 0", "root 1e300", 1)),
    "value_infinite": ("amc", AMC.replace("root 0", "root 1e999", 1)),
    "value_escape": ("amc", AMC.replace("root 0", "root \x1b[2J", 1)),
    "bone_long": ("amc", AMC.replace("\nltibia", "\n" + "t" * 100_000, 1)),
}
PLACES = {
    "fifo": os.mkfifo,
    "directory": lambda path: path.mkdir(),
    "device": lambda path: path.symlink_to("/dev/zero"),
    "loop": lambda path: path.symlink_to(path),
}
HEAVY = {
    "amc_rows": lambda: AMC + ":a\n" + "1\n" * (50 << 20),
    "amc_blank": lambda: AMC + "\n" * (60 << 20) + "no number",
    "amc_line": lambda: AMC + "root " + "1 " * (50 << 20),
    "asf_bones": lambda: ASF.replace(":bonedata\n", ":bonedata\n" + "begin\nend\n" * 300_000),
}


def folder_with(root, kind, content):
    """A good motion, and one that is not or whose skeleton is not."""
    (root / "good.asf").write_text(ASF)
    (root / "good.amc").write_text(AMC)
    (root / "bad.asf").write_text(content if kind == "asf" else ASF)
    (root / "bad.amc").write_text(content if kind == "amc" else AMC)
    return words(root)


def words(root):
    lines = [
        f'{{"file": "{one}.amc", "caption": "walks", "split": "train"}}\n'
        for one in ("good", "bad")
    ]
    (root / "captions.jsonl").write_text("".join(lines))
    return ["data", "verify", "data=asf_amc_folder", f"data.source.path={root}", "--strict"]


def check(ran):
    """Besides the line that says which frame rate is taken."""
    others = [line for line in ran.errors if "AMC files tell no frame rate" not in line]
    check_skipped(replace(ran, errors=others), "bad")


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", FILES)
def test_bad_files_are_named_and_others_used(name, tmp_path):
    check(run(folder_with(tmp_path, *FILES[name])))


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize("ending", ["asf", "amc"])
def test_what_is_no_file_is_named(name, ending, tmp_path):
    command = folder_with(tmp_path, "none", "")
    (tmp_path / f"bad.{ending}").unlink()
    PLACES[name](tmp_path / f"bad.{ending}")
    check(run(command))


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", HEAVY)
def test_heavy_files_are_named_within_bounds(name, tmp_path):
    command = folder_with(tmp_path, name[:3], HEAVY[name]())
    check(run_apart(command, tmp_path))
