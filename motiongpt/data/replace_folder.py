"""A folder that appears complete or not at all."""

import contextlib
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `folder`; on success it takes the place of `folder`.

    On any exception the temporary folder is removed and `folder` stays as it was. What a killed
    process of this machine left behind is removed at the next call.

    Raises:
        OSError: the parent folder can't be written or the disk is full.
    """
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(folder)
    building = folder.with_name(f"{_prefix(folder)}{os.getpid()}")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir()
    try:
        yield building
        _swap(building, folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _swap(building: Path, folder: Path) -> None:
    old = building.with_name(building.name + ".old")
    if folder.exists():
        os.rename(folder, old)
    try:
        os.rename(building, folder)
    except OSError:
        if old.exists():
            os.rename(old, folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _prefix(folder: Path) -> str:
    return f".{folder.name}.building-{socket.gethostname()}-"


def _remove_abandoned(folder: Path) -> None:
    """Remove the temporary folders of processes that are gone, and put a parted folder back."""
    prefix = _prefix(folder)
    for left in sorted(folder.parent.iterdir()):
        if not left.name.startswith(prefix):
            continue
        process = left.name.removeprefix(prefix).removesuffix(".old")
        if process.isdigit() and not _runs(int(process)):
            if left.suffix == ".old" and not folder.exists():
                os.rename(left, folder)
            else:
                shutil.rmtree(left, ignore_errors=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
