"""Writing files so that a kill or a full disk leaves the old file as it was."""

import contextlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from motiongpt.errors import UserError
from motiongpt.reading import parse_json


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file beside `path`; on success it is flushed to disk and renamed to `path`.

    On any exception the temporary file is removed and `path` keeps its old content.

    Raises:
        OSError: the folder can't be written or the disk is full.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
        raise


def write_text(path: Path, text: str) -> None:
    r"""Write `text` as UTF-8, all of it or nothing.

    A byte of a file name that is not UTF-8 is written as `\udce9`, which JSON reads as it was.
    """
    with replacing(path) as stream:
        stream.write(text.encode(errors="backslashreplace"))


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON, all of it or nothing.

    Raises:
        ValueError: `value` holds NaN or infinity, which JSON has no word for.
    """
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path, default: Any) -> Any:
    """The object (a dictionary) in a JSON file, or `default` where there is no such file.

    Raises:
        UserError: a file that is no JSON, or whose JSON is no object.
    """
    try:
        found = parse_json(Path(path).read_bytes().decode())
    except (FileNotFoundError, NotADirectoryError):
        return default
    except ValueError as error:  # decoding errors are ValueErrors
        raise UserError(f"{path}: not JSON ({error}); move it away and run again") from error
    if not isinstance(found, dict):
        raise UserError(
            f"{path}: expected a JSON object, found {type(found).__name__}; move it away and run "
            "again"
        )
    return found


def save_array(path: Path, array: np.ndarray) -> None:
    """Write one `.npy` array, all of it or nothing."""
    with replacing(path) as stream:
        np.save(stream, array, allow_pickle=False)


def save_with(path: Path, save: Callable[[Path], None], suffix: str = "") -> None:
    """Let `save` write a file by name (safetensors, pictures …), then rename it to `path`.

    Args:
        suffix: ending of the temporary name, for writers that choose a format by it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(
        prefix=f".{path.name}.", suffix=suffix or ".tmp", dir=path.parent
    )
    os.close(handle)
    try:
        save(Path(name))
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
