"""Fetching one file over HTTP: resumed where it stopped, checked, and renamed when whole."""

import hashlib
import http.client
import os
import urllib.error
import urllib.request
from pathlib import Path

from motiongpt.errors import UserError
from motiongpt.progress import progress_bar

_CHUNK = 1 << 18
_TIMEOUT_SECONDS = 60.0


def download(
    url: str,
    path: Path,
    sha256: str | None = None,
    progress: bool = True,
    git_sha1: str | None = None,
) -> None:
    """Fetch `url` to `path`.

    Bytes go to "<path>.part" first; a later call goes on from there if the server can serve a
    range, and starts again if it can't. Only a whole file that matches its checksum gets its name.

    Args:
        sha256: of its bytes; not compared where None.
        git_sha1: by which Git names its content; not compared where None.

    Raises:
        UserError: the server refuses or breaks off, or the checksum differs (the part is removed).
    """
    part = path.with_name(path.name + ".part")
    part.parent.mkdir(parents=True, exist_ok=True)
    try:
        _fetch(url, part, progress)
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise UserError(
            f"download of {url} failed: {reason}; run the same command again to go on, or fetch "
            "the file by hand and give its path"
        ) from error
    for kind, expected, digest in (
        ("sha256", sha256, file_sha256),
        ("Git checksum", git_sha1, file_git_sha1),
    ):
        if expected is not None and (found := digest(part)) != expected.lower():
            part.unlink()
            raise UserError(f"download of {url}: its {kind} is {found}, expected {expected}")
    os.replace(part, path)


def file_sha256(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def file_git_sha1(path: Path) -> str:
    """The name that Git gives to a file's content: SHA-1 of "blob", its size, and its bytes."""
    digest = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    with open(path, "rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _fetch(url: str, part: Path, progress: bool) -> None:
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        response = urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        if error.code != http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise
        # What is there can't be continued (whole already, or of another file): start again.
        part.unlink()
        return _fetch(url, part, progress)
    with response:
        resumed = response.status == http.HTTPStatus.PARTIAL_CONTENT
        have = have if resumed else 0
        length = response.headers.get("Content-Length")
        total = have + int(length) if length else None
        _copy(response, part, have, total, progress)
    if total is not None and part.stat().st_size != total:
        raise http.client.IncompleteRead(b"", total - part.stat().st_size)
    return None


def _copy(
    response: http.client.HTTPResponse, part: Path, have: int, total: int | None, progress: bool
) -> None:
    with (
        open(part, "ab" if have else "wb") as stream,
        progress_bar(
            desc=part.name.removesuffix(".part"), initial=have, total=total, unit="B",
            unit_scale=True, disable=not progress,
        ) as bar,
    ):  # fmt: skip
        while chunk := response.read(_CHUNK):
            stream.write(chunk)
            bar.update(len(chunk))
        stream.flush()
        os.fsync(stream.fileno())
