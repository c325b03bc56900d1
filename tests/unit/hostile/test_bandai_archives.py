"""Archives of strangers in place of the Bandai-Namco data set."""

import gzip
import io
import struct
import tarfile
import zipfile

import numpy as np
import pytest

from tests.unit.hostile.arrays import patched, zipped
from tests.unit.hostile.bombs import tar_gz_of_zeros, zip_of_zeros
from tests.unit.hostile.harness import (
    ODD_FILES,
    check_line,
    check_refused,
    check_skipped,
    run,
    run_apart,
)
from tests.unit.test_bandai_namco import BOW, RUN, WALK, bvh

pytestmark = pytest.mark.timeout(60)
GOOD = bvh(61)
ARCHIVE = zipped({f"data/{WALK}.bvh": GOOD, f"data/{RUN}.bvh": GOOD})
STORED = zipped({f"data/{WALK}.bvh": GOOD}, zipfile.ZIP_STORED)


def nested(depth: int) -> bytes:
    content = zipped({f"{WALK}.bvh": GOOD})
    for _ in range(depth):
        content = zipped({"data.zip": content}, zipfile.ZIP_STORED)
    return content


def tarred(members, mode="w") -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            if isinstance(content, bytes):
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
            else:
                info.type, info.linkname = content.encode(), "/etc/passwd"
                archive.addfile(info)
    return stream.getvalue()


TAR = tarred({f"data/{WALK}.bvh": GOOD})
TGZ = gzip.compress(TAR)


def lying_tar() -> bytes:
    """A header that announces a terabyte."""
    info = tarfile.TarInfo(f"data/{WALK}.bvh")
    info.size = 1 << 40
    return info.tobuf(tarfile.GNU_FORMAT) + GOOD


def overlapping() -> bytes:
    """Two members that share their bytes, as the bombs without recursion do."""
    content = bytearray(ARCHIVE)
    first = content.find(b"PK\x01\x02")
    second = content.find(b"PK\x01\x02", first + 4)
    content[second + 42 : second + 46] = content[first + 42 : first + 46]
    return bytes(content)


REFUSED = {
    "empty": lambda: b"",
    "text": lambda: b"no archive at all\n" * 99,
    "magic_alone": lambda: b"PK\x03\x04",
    "list_alone": lambda: ARCHIVE[ARCHIVE.find(b"PK\x01\x02") :],
    "cut_early": lambda: ARCHIVE[:300],
    "cut_half": lambda: ARCHIVE[: len(ARCHIVE) // 2],
    "cut_late": lambda: ARCHIVE[:-30],
    "encrypted": lambda: patched(STORED, 6, b"\x01\x00"),
    "method_99": lambda: patched(STORED, 8, b"\x63\x00"),
    "method_deflate_of_plain": lambda: patched(STORED, 8, b"\x08\x00"),
    "method_bzip2_of_plain": lambda: patched(STORED, 8, b"\x0c\x00"),
    "method_lzma_of_plain": lambda: patched(STORED, 8, b"\x0e\x00"),
    "checksum": lambda: patched(STORED, 14, b"\1\2\3\4"),
    "size_small": lambda: patched(STORED, 22, struct.pack("<I", 10)),
    "size_big": lambda: patched(STORED, 22, struct.pack("<I", 0xFFFFFFF0)),
    "overlapping": overlapping,
    "version_99": lambda: patched(STORED, 4, b"\x63\x00"),
    "nested_20": lambda: nested(20),
    "inner_cut": lambda: zipped({"a/data.zip": ARCHIVE[:-40] + b"PK\x05\x06" + bytes(18)}),
    "inner_encrypted": lambda: zipped({"a/data.zip": patched(STORED, 6, b"\x01\x00")}),
    "tar_cut": lambda: TAR[:3_000],
    "tar_flipped_head": lambda: TAR[:100] + b"zzzzzzzz" + TAR[108:],
    "tar_lies": lying_tar,
    "tgz_cut": lambda: TGZ[:-300],
    "tgz_flipped": lambda: TGZ[:200] + bytes([TGZ[200] ^ 255]) + TGZ[201:],
    "txz_cut": lambda: tarred({f"data/{WALK}.bvh": GOOD}, "w:xz")[:-60],
    "tbz_flipped": lambda: tarred({f"data/{WALK}.bvh": GOOD}, "w:bz2")[:60] + bytes(99),
    "tar_of_links": lambda: tarred({f"data/{WALK}.bvh": "2"}),
    "tar_of_fifos": lambda: tarred({f"data/{WALK}.bvh": "6"}),
    "tar_of_devices": lambda: tarred({f"data/{WALK}.bvh": "3"}),
    "other_names": lambda: zipped({"../../etc/passwd.bvh": GOOD, "\\\\?\\c.bvh": GOOD}),
}


def verify(path):
    return [
        "data", "verify", "data=bandai_namco", f"data.source.path={path}",
        "data.source.workers=0", "--strict",
    ]  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_bad_archives_are_refused(name, tmp_path):
    path = tmp_path / f"{name}.zip"
    path.write_bytes(REFUSED[name]())
    check_refused(run(verify(path)), [path.name])
    assert sorted(tmp_path.iterdir()) == [path]


@pytest.mark.slow
@pytest.mark.timeout(300)  # to make it takes longer than to refuse it
def test_archives_nested_without_end_are_refused(tmp_path):
    path = tmp_path / "nested.zip"
    path.write_bytes(nested(1_500))
    check_refused(run(verify(path)), [path.name])


@pytest.mark.parametrize("seed", range(12))
def test_flipped_bytes_are_noticed(seed, tmp_path):
    rng = np.random.default_rng(seed)
    content = bytearray(ARCHIVE)
    for position in rng.integers(0, len(content), 3):
        content[position] ^= int(rng.integers(1, 256))
    path = tmp_path / "flipped.zip"
    path.write_bytes(bytes(content))
    ran = run(verify(path))
    if ran.errors:
        check_refused(ran, [path.name])
    else:  # bytes of names and dates have no checksum: the clips are whole or passed over
        assert ran.status in (0, 1)
        for line in ran.out.splitlines():
            check_line(line, [])


BAD_CLIPS = {
    "no_text": bytes(range(256)),
    "digits": GOOD.replace(b"Frames: 61", b"Frames: " + b"9" * 5_000),
    "escape": GOOD.replace(b"JOINT Hips", b"JOINT \x1b[2J"),
    "cut": GOOD[:500],
    "nothing": b"",
}


@pytest.mark.parametrize("name", BAD_CLIPS)
def test_other_clips_of_an_archive_are_used(name, tmp_path):
    path = tmp_path / "clips.zip"
    path.write_bytes(zipped({f"{BOW}.bvh": BAD_CLIPS[name], f"{WALK}.bvh": GOOD}))
    check_skipped(run(verify(path)), BOW)


@pytest.mark.parametrize("kind", ["fifo", "directory", "device", "loop"])
def test_other_files_of_a_folder_are_used(kind, tmp_path):
    (tmp_path / f"{WALK}.bvh").write_bytes(GOOD)
    ODD_FILES[kind](tmp_path / f"{BOW}.bvh")
    ODD_FILES[kind](tmp_path / "data.zip")
    check_skipped(run(verify(tmp_path)), BOW)


@pytest.mark.parametrize("kind", ["fifo", "device", "loop"])
def test_what_is_no_archive_is_refused(kind, tmp_path):
    path = tmp_path / "data.zip"
    ODD_FILES[kind](path)
    check_refused(run(verify(path)), [path.name])


def test_a_bomb_opens_as_an_archive():
    made = zip_of_zeros("large", 2, b"first", {"small": b"3\n"})
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert [one.file_size for one in archive.infolist()] == [2, 5 + (128 << 20)]
        with archive.open("large") as member:
            assert member.read(9) == b"first" + bytes(4)
    with tarfile.open(fileobj=io.BytesIO(tar_gz_of_zeros("large", 1))) as archive:
        assert archive.getmember("large").size == 64 << 20


PIECES = 40  # 2.5 GiB
BOMBS = {
    "clip.zip": lambda path: path.write_bytes(zip_of_zeros(f"{WALK}.bvh", PIECES)),
    "inner.zip": lambda path: path.write_bytes(zip_of_zeros("data.zip", PIECES, ARCHIVE)),
    "clip.tar.gz": lambda path: path.write_bytes(tar_gz_of_zeros(f"{WALK}.bvh", PIECES)),
    "members.zip": lambda path: path.write_bytes(
        zipped({f"{n}.txt": b"" for n in range(300_000)}, zipfile.ZIP_STORED)
    ),
}


@pytest.mark.slow
@pytest.mark.timeout(300)  # to make it takes longer than to refuse it
@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_before_they_are_read(name, tmp_path):
    path = tmp_path / name
    BOMBS[name](path)
    check_refused(run_apart(verify(path), tmp_path), [name])
