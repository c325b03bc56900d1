"""Reading a file of torch.save from a stranger: its tensors, without running anything of it.

A checkpoint is a pickle, and a pickle may call any function. torch's restricted reader makes
tensors and plain containers only. What else a Lightning checkpoint holds (configurations, states of
callbacks, numpy numbers) is replaced by stand-ins that ignore whatever the file does with them.
"""

import pickle
import re
import tarfile
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch.serialization import get_unsafe_globals_in_checkpoint, safe_globals

from motiongpt.errors import UserError
from motiongpt.reading import check_members, file_size

ZIP, POINTER = b"PK\x03\x04", b"version https://git-lfs"
PAGE = (b"<!doctype", b"<html", b"<?xml")
AGAIN = "download it again"
RESAVE = (
    "where you trust it, open it with the software that wrote it and save its state_dict alone "
    "with torch.save"
)
FIRST_BYTES = 64


class StandIn:
    """Takes the place of any class or function that a checkpoint names, and does nothing."""

    def __new__(cls, *_: Any, **__: Any) -> "StandIn":
        """An object without content, whatever the arguments."""
        return super().__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def __setstate__(self, _: Any) -> None: ...


def _dictionary(*_: Any) -> dict[Any, Any]:
    return {}


def _list(*_: Any) -> list[Any]:
    return []


# torch's reader fills dictionaries and lists only: of these the file gets plain ones.
CONTAINERS: Mapping[str, Callable[..., Any]] = {
    "collections.defaultdict": _dictionary,
    "collections.deque": _list,
}


def read_checkpoint(path: Path | str) -> dict[str, Any]:
    """Content of a file of torch.save, tensors on the CPU; nothing in the file is executed.

    Objects other than tensors and plain containers are `StandIn`s. Tensors are mapped from the
    file where its format allows it, so that opening takes no memory.

    Raises:
        UserError: no such file, no checkpoint, a damaged or incomplete one, one whose top level
            is no dictionary, or one that can't be read without executing it. Says what was
            expected and what was found.
    """
    path = Path(path)
    begin = _beginning(path)
    if begin.startswith(ZIP):
        content = _read_zip(path)
    elif tarfile.is_tarfile(path):
        raise UserError(
            f"{path}: a tar archive, such as torch wrote before version 0.1.10; expected a file of "
            "torch.save: unpack it if it is an archive of checkpoints, else get a newer one"
        )
    else:
        content = _read_legacy(path, begin)
    if not isinstance(content, Mapping):
        raise UserError(
            f"{path}: expected a checkpoint, a dictionary of tensors; found {_kind(content)}"
        )
    return {str(name): value for name, value in content.items()}


def _beginning(path: Path) -> bytes:
    """The first bytes, after refusing what is no checkpoint at a glance."""
    try:
        size = file_size(path)
        with path.open("rb") as stream:
            begin = stream.read(FIRST_BYTES)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; `motiongpt download` fetches one") from None
    except IsADirectoryError:
        raise UserError(f"{path}: a folder; expected the checkpoint's file") from None
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; expected the checkpoint's file") from error
    if not begin:
        raise UserError(f"{path}: expected a checkpoint, found an empty file; {AGAIN}")
    if begin.startswith(POINTER):
        raise UserError(
            f"{path}: expected a checkpoint, found Git LFS's pointer to it ({size:,} bytes); fetch "
            "the file itself with `git lfs pull`"
        )
    if begin.lstrip().lower().startswith(PAGE):
        raise UserError(
            f"{path}: expected a checkpoint, found a web page ({size:,} bytes); {AGAIN}, perhaps "
            "in a browser"
        )
    return begin


def _read_zip(path: Path) -> Any:
    _check_zip(path)
    try:
        names = get_unsafe_globals_in_checkpoint(path)
        stand_ins = [(_stand_in(name), name) for name in names]
        with safe_globals(stand_ins), warnings.catch_warnings(action="ignore"):  # type: ignore[arg-type]  # callables, named
            return torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except pickle.UnpicklingError as error:
        raise _refusal(path, error) from error
    except Exception as error:  # a crafted or damaged stream may make the reader raise anything
        raise _damaged(path, error) from error


def _check_zip(path: Path) -> None:
    """Refuse a file that ends early, whose bytes have changed, or that torch didn't write."""
    size = path.stat().st_size
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.namelist()
            # torch packs without compression: nothing is larger than the file that it is in.
            check_members(archive, size, (zipfile.ZIP_STORED,))
            broken = archive.testzip()
    except ValueError as error:
        raise UserError(f"{path}: not as torch.save packs it: {error}") from error
    except (zipfile.BadZipFile, EOFError, OSError) as error:
        raise UserError(
            f"{path}: the download is not whole: expected the list of its parts at the end, found "
            f"none in {size:,} bytes; {AGAIN}, `motiongpt download` goes on where it stopped"
        ) from error
    except (NotImplementedError, RuntimeError) as error:  # encrypted, or compressed oddly
        raise _damaged(path, error) from error
    if broken is not None:
        raise UserError(f"{path}: damaged: the checksum of its part {broken} differs; {AGAIN}")
    if not any(name.endswith("/data.pkl") for name in members):
        raise UserError(
            f"{path}: expected a file of torch.save, found a zip archive with "
            f"{', '.join(members[:3]) or 'nothing'}: unpack it and give the checkpoint in it"
        )


def _read_legacy(path: Path, begin: bytes) -> Any:
    """The format of torch before 1.6: several pickles one after the other."""
    if begin[:1] != pickle.PROTO:
        size = path.stat().st_size
        raise UserError(
            f"{path}: expected a checkpoint of torch.save, found {size:,} bytes that begin with "
            f"{begin[:8]!r}; {AGAIN}"
        )
    try:
        with warnings.catch_warnings(action="ignore"):
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise _refusal(path, error) from error
    except Exception as error:  # a crafted or damaged stream may make the reader raise anything
        raise _damaged(path, error) from error


def _stand_in(name: str) -> Callable[..., Any]:
    """A class of its own for each name: torch's reader tells them apart by the object."""
    if name in CONTAINERS:
        return CONTAINERS[name]
    return type("StandIn", (StandIn,), {"__doc__": f"Takes the place of {name}."})


def _refusal(path: Path, error: Exception) -> UserError:
    said = " ".join(str(error).split())
    # torch's advice to load without the restriction is no good for a stranger's file
    reason = re.split(" Please | Check the ", said.rpartition("WeightsUnpickler error: ")[2])[0]
    return UserError(f"{path}: can't be read without executing code in it ({reason}); {RESAVE}")


def _damaged(path: Path, error: Exception) -> UserError:
    said = " ".join(f"{type(error).__name__}: {error}".split())[:200]
    size = path.stat().st_size
    return UserError(f"{path}: damaged, or no file of torch.save ({size:,} bytes; {said}); {AGAIN}")


def _kind(content: Any) -> str:
    if isinstance(content, StandIn):
        return "an object of a class, perhaps a whole model: " + RESAVE
    return f"a {type(content).__name__}"
