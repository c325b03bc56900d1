"""What a form is: how a project keeps motions in files, one motion a file.

A new form is one file in this folder with one class; the command and the tests find it.
Shape letters: T frames, F features, J joints.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

from motiongpt.arrays import map_array, read_array
from motiongpt.data.checks import array_problem
from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError
from motiongpt.motion.recover import features_to_joints
from motiongpt.motion.skeleton import Skeleton

LOOKED_AT = 8  # clips of a store that tell the lengths of its bones


@dataclass(frozen=True)
class Options:
    """What the user says of the files; None for what is to be found out.

    Attributes:
        fps: frames per second of files that don't say.
        metres_per_unit: of their lengths, such as 0.01 for centimetres.
        up_axis: "Y" or "Z".
        normalised: whether features are.
        statistics: folder with Mean.npy and Std.npy that they are normalised with.
        mapping: name or yaml of a joint mapping.
        body_models: folder with the model files of SMPL-X or SMPL-H.
    """

    fps: float | None = None
    metres_per_unit: float | None = None
    up_axis: str | None = None
    normalised: bool | None = None
    statistics: Path | None = None
    mapping: str | None = None
    body_models: Path | None = None

    def given(self) -> list[str]:
        """Names of those that were."""
        return [one.name for one in fields(self) if getattr(self, one.name) is not None]


@dataclass(frozen=True)
class Target:
    """What predictions become: features like those of the store that they are scored with.

    Attributes:
        skeleton, fps, mean, std, normalisation: of the store.
        bones: (J,) metres from each joint's parent, of its clips; 0 for the root.
    """

    skeleton: Skeleton
    fps: float
    mean: np.ndarray
    std: np.ndarray
    normalisation: str
    bones: np.ndarray

    @classmethod
    def of(cls, store: MotionStore) -> "Target":
        """The target of a store."""
        chosen = np.linspace(0, len(store) - 1, min(LOOKED_AT, len(store))).astype(int)
        lengths = [
            bone_lengths(
                features_to_joints(
                    torch.from_numpy(store.features(int(i))), store.skeleton
                ).numpy(),
                store.skeleton,
            )
            for i in chosen
        ]
        bones = np.median(lengths, axis=0)
        return cls(store.skeleton, store.fps, store.mean, store.std, store.normalisation, bones)


def bone_lengths(joints: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """Mean length of each bone of joints (T, J, 3), (J,) metres; 0 for the root."""
    parents = [max(parent, 0) for parent in skeleton.parents]
    return np.linalg.norm(joints - joints[:, parents], axis=-1).mean(0)


class Form(ABC):
    """Reads the motions of one folder.

    `look` is called once, with some of the files, before any `read`.

    Attributes:
        name: as `--form` takes it.
        ending: of its files.
        expects: what such a file holds, for people.
        takes: names of `Options` that mean something to it.
    """

    name: ClassVar[str]
    ending: ClassVar[str]
    expects: ClassVar[str]
    takes: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, options: Options, target: Target) -> None:
        """Refuse options that mean nothing to this form.

        Raises:
            UserError: names the first, and those that do.
        """
        self.options, self.target = options, target
        for name in options.given():
            if name not in self.takes:
                valid = ", ".join(sorted(map(flag, self.takes))) or "none"
                raise UserError(
                    f"{flag(name)} says nothing about predictions of the form {self.name}; it "
                    f"takes {valid}"
                )

    @classmethod
    @abstractmethod
    def fits(cls, path: Path, skeleton: Skeleton) -> bool:
        """Whether the file is of this form, by what its beginning says.

        Raises:
            OSError, ValueError, UserError: it can't be read.
        """

    @abstractmethod
    def look(self, sample: Sequence[Path]) -> Mapping[str, str]:
        """Find out what the files leave open, from some of them.

        Returns:
            What was understood: name -> words.

        Raises:
            UserError: it can't be told; says which option would.
        """

    @abstractmethod
    def read(self, path: Path) -> np.ndarray:
        """Features (T, F) float32, not normalised, at the target's frame rate.

        Raises:
            UserError: the file can't be used; says why, without the file's name.
        """

    def read_many(self, paths: Sequence[Path]) -> Iterator[np.ndarray | UserError]:
        """What `read` gives, or raises, for each of many files; a form may do several at once."""
        for path in paths:
            try:
                yield self.read(path)
            except UserError as error:
                yield error


def flag(name: str) -> str:
    """How the command line calls an option."""
    return f"--{name.replace('_', '-')}"


def array_shape(path: Path) -> tuple[int, ...]:
    """Shape of an `.npy` file's array, without a leading 1 of batches.

    Raises:
        OSError, ValueError: see `map_array`.
    """
    return _without_batch(map_array(path)).shape


def read_rows(path: Path, row: tuple[int, ...], what: str) -> np.ndarray:
    """The array (T, *row) of an `.npy` file as float32, checked.

    Raises:
        UserError: unreadable, another shape, no frames, NaN or infinity.
    """
    array = _without_batch(read_plain(path))
    problem = array_problem(array, row, 1, what)
    if problem:
        raise UserError(problem)
    return array.astype(np.float32)


def read_plain(path: Path) -> np.ndarray:
    """The array of an `.npy` file.

    Raises:
        UserError: it can't be read.
    """
    try:
        return read_array(path)
    except (OSError, ValueError) as error:
        raise UserError(unreadable(error)) from error


def unreadable(error: Exception) -> str:
    """What is wrong with a file, in one line."""
    reason = (error.strerror if isinstance(error, OSError) else None) or error
    return f"unreadable: {' '.join(str(reason).split())}"


def _without_batch(array: np.ndarray) -> np.ndarray:
    """(1, T, F) and (1, T, J, 3) as they would be without the 1: networks put out batches."""
    batched = array.ndim == 4 or (array.ndim == 3 and array.shape[-1] > 3)
    return array[0] if batched and len(array) == 1 else array
