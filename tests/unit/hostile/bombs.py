"""Archives of gigabytes of zeros, made in a moment: one compressed piece over and over."""

import gzip
import struct
import tarfile
import zlib
from collections.abc import Mapping

PIECE = 64 << 20  # zeros
END = b"\x03\x00"  # deflate's last block, empty


def zip_of_zeros(
    name: str, pieces: int, first: bytes = b"", before: Mapping[str, bytes] | None = None
) -> bytes:
    """An archive of one member of `pieces` x 64 MiB of zeros, below 4 GiB in all.

    The checksums are wrong, which who is to refuse it unread does not come to know.

    Args:
        first: bytes of the member before its zeros.
        before: other members, ahead of it.
    """
    members = [(key, _deflated(value, 0), len(value)) for key, value in (before or {}).items()]
    members.append((name, _deflated(first, pieces), len(first) + pieces * PIECE))
    stream = directory = b""
    for label, data, size in members:
        key = label.encode()
        facts = struct.pack("<5H3L2H", 20, 0, 8, 0, 33, 0, len(data), size, len(key), 0)
        directory += b"PK\x01\x02\x14\x00" + facts
        directory += struct.pack("<3H2L", 0, 0, 0, 0, len(stream)) + key
        stream += b"PK\x03\x04" + facts + key + data
    count = len(members)
    sizes = struct.pack("<4H2LH", 0, 0, count, count, len(directory), len(stream), 0)
    return stream + directory + b"PK\x05\x06" + sizes


def tar_gz_of_zeros(name: str, pieces: int) -> bytes:
    """A tar with one file of `pieces` x 64 MiB of zeros, compressed in members."""
    info = tarfile.TarInfo(name)
    info.size = pieces * PIECE
    head = gzip.compress(info.tobuf(tarfile.GNU_FORMAT))
    return head + gzip.compress(bytes(PIECE), 1) * pieces


def _deflated(first: bytes, pieces: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    begin = packer.compress(first) + packer.flush(zlib.Z_FULL_FLUSH)
    piece = packer.compress(bytes(PIECE)) + packer.flush(zlib.Z_FULL_FLUSH)
    return begin + piece * pieces + END
