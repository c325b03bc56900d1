"""A list of checksums that a stranger wrote."""

import os

import pytest

from motiongpt.checksums import CHECKSUMS, damage_below
from motiongpt.files import write_json

ABOUT = {"bytes": 0, "sha256": "0"}


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize(
    ("name", "about", "says"),
    [
        ("../outside", ABOUT, f"{CHECKSUMS} is damaged"),
        ("/dev/zero", ABOUT, f"{CHECKSUMS} is damaged"),
        ("codec/../../outside", ABOUT, f"{CHECKSUMS} is damaged"),
        ("codec/\0", ABOUT, f"{CHECKSUMS} is damaged"),
        ("codec/model", [0], f"{CHECKSUMS} is damaged"),
        ("codec/pipe", ABOUT, "codec/pipe is no plain file"),
        ("codec/loop", ABOUT, "codec/loop can't be read"),
        ("codec/gone", ABOUT, "codec/gone is gone"),
    ],
)
def test_only_plain_files_of_the_folder_are_read(name, about, says, whole, tmp_path):
    folder = tmp_path / "model"
    (folder / "codec").mkdir(parents=True)
    os.mkfifo(folder / "codec/pipe")
    os.symlink("loop", folder / "codec/loop")
    write_json(folder / CHECKSUMS, {name: about})
    assert damage_below(folder, whole, part="codec").startswith(says)
