"""BVH files of strangers: refused in one line, within bounds; a large sound one is read."""

import os
import re

import numpy as np
import pytest

from motiongpt.motion.resample import resampled_length
from tests.unit.bvh_text import stick, write
from tests.unit.hostile.bvh_files import FILES, HEAVY, big_rows
from tests.unit.hostile.harness import attacks, check_refused, check_skipped, run, run_apart


@attacks(FILES)
def test_bad_bvh_files_are_refused(attack, tmp_path):
    check_refused(run(attack.build(tmp_path)), attack.says)
    assert not (tmp_path / "out.npy").exists()


@pytest.mark.slow
@pytest.mark.timeout(300)  # to make it takes longer than to refuse it
@attacks(HEAVY)
def test_heavy_bvh_files_are_refused(attack, tmp_path):
    check_refused(run_apart(attack.build(tmp_path), tmp_path), attack.says)


@pytest.mark.slow
@pytest.mark.timeout(300)  # to make it takes longer than to refuse it
def test_a_large_sound_file_is_read(tmp_path):
    path = write(tmp_path / "large.bvh", big_rows(20))
    ran = run_apart(["data", "joints", str(path), str(tmp_path / "out.npy")], tmp_path)
    assert ran.status == 0, ran
    frames = int(re.search(r"Frames: (\d+)", path.read_text()[:9_000])[1])
    assert np.load(tmp_path / "out.npy").shape == (resampled_length(frames, 30, 20), 22, 3)


PLACES = {
    "fifo": os.mkfifo,
    "directory": lambda path: path.mkdir(),
    "device": lambda path: path.symlink_to("/dev/zero"),
    "loop": lambda path: path.symlink_to(path),
    "digits": lambda path: path.write_text(stick().replace("OFFSET", "OFFSET " + "9" * 5_000, 1)),
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", PLACES)
def test_other_files_of_a_folder_are_used(name, tmp_path):
    write(tmp_path / "good.bvh", stick())
    PLACES[name](tmp_path / f"{name}.bvh")
    lines = [
        f'{{"file": "{one}", "caption": "walks", "split": "train"}}\n' for one in ("good", name)
    ]
    (tmp_path / "captions.jsonl").write_text("".join(lines))
    ran = run(["data", "verify", "data=bvh_folder", f"data.source.path={tmp_path}", "--strict"])
    check_skipped(ran, name)
