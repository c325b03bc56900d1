"""The checkpoints of a training: the last one and the one before, checked before they are used.

A checkpoint is a zip archive of torch.save, which holds a checksum (CRC-32) of each of its parts:
writing one costs no second pass over it, and one of an earlier version can be checked alike.
"""

import contextlib
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

FOLDER = "checkpoints"
CHECKPOINT, PREVIOUS = f"{FOLDER}/last.ckpt", f"{FOLDER}/previous.ckpt"
ASIDE = "damaged-"


def keep_two(new: Path, last: Path) -> None:
    """Let the checkpoint `new` take the place of `last`, which stays as the one before it.

    A kill between the two moves leaves the one before, from which a training goes on too.
    """
    with contextlib.suppress(FileNotFoundError):  # the first of a run
        os.replace(last, last.with_name(Path(PREVIOUS).name))
    os.replace(new, last)


def sound_checkpoint(folder: Path, log: Callable[[str], None], moves: bool) -> Path | None:
    """The latest checkpoint of a stage's folder that is whole; None where there is none.

    A damaged one is named and set aside, so that nothing goes on from it.

    Args:
        moves: whether this process sets it aside: the first of a job does.
    """
    for name in (CHECKPOINT, PREVIOUS):
        path = Path(folder) / name
        try:
            damage = damage_of(path)
        except FileNotFoundError:  # there is none, or the first process has just set it aside
            continue
        if not damage:
            return path
        if moves:
            aside = path.with_name(f"{ASIDE}{path.name}")
            os.replace(path, aside)
            log(f"  {path} is damaged: {damage}; set aside as {aside.name}, goes on without it")
    return None


def damage_of(path: Path) -> str:
    """What is wrong with a checkpoint, in a few words; empty where all its checksums are right.

    Raises:
        FileNotFoundError: there is no such file.
    """
    import torch  # who only asks for names of files starts without

    size = path.stat().st_size
    if not size:
        return "it is empty"
    try:
        with zipfile.ZipFile(path) as archive:
            broken = archive.testzip()
        # The list of the parts has no checksum; with mmap no tensor is read a second time.
        torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except FileNotFoundError:
        raise
    except Exception as error:  # damaged bytes may make the reader raise anything
        said = " ".join(str(error).split())[:100]
        return f"not whole, {size:,} bytes ({type(error).__name__}: {said})"
    return "" if broken is None else f"the checksum of its part {broken} differs"
