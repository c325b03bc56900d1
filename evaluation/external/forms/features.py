"""The data's own features: HumanML3D's 263 numbers a frame (KIT 251), normalised or not.

Whether they are normalised, and how, is found out: in features as they are, the 6D rotations are
made of unit vectors, contacts are near 0 or 1, and bones have the body's proportions.
Shape letters: T frames, F features, C columns.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from evaluation.external.forms.base import (
    Form,
    Options,
    Target,
    array_shape,
    bone_lengths,
    read_rows,
)
from motiongpt.arrays import read_array
from motiongpt.data.statistics import MINIMUM_STD, NORMALISATIONS, channel_groups, weighted_std
from motiongpt.errors import UserError
from motiongpt.motion.plausible import size_problem
from motiongpt.motion.recover import features_to_joints
from motiongpt.motion.sequence import MotionSequence
from motiongpt.motion.skeleton import Skeleton

# How far features may be from what they must be, see `misfit`: a published clip has 0.07, what a
# MotionGPT generated (experiments/quickstart) 0.2, wrong readings of either 0.8 and more; and at
# most half as far as the second best reading, so that no doubt is left.
MOST_MISFIT, SECOND_BEST = 0.5, 0.5


@dataclass(frozen=True)
class Normalisation:
    """One way to read the numbers: as they are, or times `std` plus `mean`, (F,) each."""

    words: str
    mean: np.ndarray | None = None
    std: np.ndarray | None = None
    is_of_data: bool = False  # whether `mean` and `std` are those of the data scored with

    def undone(self, rows: np.ndarray) -> np.ndarray:
        """Features that are not normalised, of rows (T, F) that are in this way."""
        return rows if self.mean is None or self.std is None else rows * self.std + self.mean


class Features(Form):
    """`.npy` of features."""

    name = "features"
    ending = ".npy"
    expects = "(frames, 263) features of HumanML3D; 251 for KIT's skeleton"
    takes = frozenset({"fps", "metres_per_unit", "normalised", "statistics"})

    def __init__(self, options: Options, target: Target) -> None:
        super().__init__(options, target)
        self.normalisation = Normalisation("no")
        self._scale = np.ones(target.skeleton.n_features, np.float32)
        _, root, height, positions, _, velocities, _ = channel_groups(target.skeleton)
        for group in (root, height, positions, velocities):
            self._scale[group] = options.metres_per_unit or 1.0

    @classmethod
    def fits(cls, path: Path, skeleton: Skeleton) -> bool:
        """See `Form.fits`."""
        shape = array_shape(path)
        return len(shape) == 2 and shape[1] == skeleton.n_features

    def look(self, sample: Sequence[Path]) -> Mapping[str, str]:
        """See `Form.look`: tells normalised features from others, refuses another unit."""
        rows = np.concatenate([self._rows(path) for path in sample])
        self.normalisation = self._chosen(sample[0], rows)
        if self.normalisation.is_of_data and self.options.metres_per_unit is not None:
            raise UserError(
                f"{sample[0]} and others are normalised {self.normalisation.words}, which are in "
                "metres; leave --metres-per-unit out"
            )
        features = torch.from_numpy(self.normalisation.undone(rows) * self._scale)
        body = features_to_joints(features, self.target.skeleton).numpy()
        problem = size_problem(body, smallest=0.0)
        if problem:
            raise UserError(
                f"{sample[0]} and others: {problem}; give the files' unit: --metres-per-unit 0.001 "
                "for KIT's millimetres"
            )
        said = "as --fps says" if self.options.fps else "the data's: the files don't say"
        return {
            "frame rate": f"{self.options.fps or self.target.fps:g}, {said}",
            "unit": f"{self.options.metres_per_unit or 1:g} m",
            "normalised": self.normalisation.words,
        }

    def read(self, path: Path) -> np.ndarray:
        """See `Form.read`."""
        rows = read_rows(path, (self.target.skeleton.n_features,), "features")
        features = (self.normalisation.undone(rows) * self._scale).astype(np.float32)
        fps = self.options.fps or self.target.fps
        if fps == self.target.fps:
            return features
        motion = MotionSequence.from_features(features, fps, skeleton=self.target.skeleton)
        return motion.at(self.target.fps).features

    def _rows(self, path: Path) -> np.ndarray:
        try:
            return read_rows(path, (self.target.skeleton.n_features,), "features")
        except UserError as error:
            raise UserError(f"{path}: {error}") from error

    def _chosen(self, path: Path, rows: np.ndarray) -> Normalisation:
        possible = self._possible()
        if len(possible) == 1:
            return possible[0]
        misfits = [misfit(one.undone(rows), self.target) for one in possible]
        order = np.argsort(misfits)
        best, second = misfits[order[0]], misfits[order[1]]
        if best > MOST_MISFIT or best > SECOND_BEST * second:
            found = ", ".join(
                f"{one.words}: {value:.2f}" for one, value in zip(possible, misfits, strict=True)
            )
            raise UserError(
                f"{path} and others: can't tell whether these features are normalised (how far "
                f"they are off if so: {found}); say --normalised no, or "
                "--normalised yes, with the folder of their Mean.npy and Std.npy as --statistics"
            )
        return possible[order[0]]

    def _possible(self) -> list[Normalisation]:
        """All ways that the options leave."""
        plain = [] if self.options.normalised else [Normalisation("no")]
        if self.options.normalised is False:
            return plain
        if self.options.statistics is not None:
            return [*plain, read_statistics(self.options.statistics, self.target.mean.shape)]
        bare, skeleton = plain_std(self.target), self.target.skeleton
        return plain + [
            Normalisation(
                f"with the data's mean and std ({name})",
                self.target.mean,
                weighted_std(bare, skeleton, name),
                is_of_data=True,
            )
            for name in NORMALISATIONS
        ]


def misfit(features: np.ndarray, target: Target) -> float:
    """How far features (T, F) are from what such features must be.

    The sum of four: median distance of the rotations' vectors from length 1, mean distance of
    contacts from 0 or 1, how much more or less they vary than the data's (tenfold: 1), median
    distance of bones from their share of the body, whatever its unit; each counts 1 at most.
    """
    _, _, height, positions, rotations, _, contacts = channel_groups(target.skeleton)
    near = np.abs(features[:, contacts] - (features[:, contacts] > 0.5))
    joints = np.zeros((len(features), target.skeleton.n_joints, 3))
    joints[:, 0, 1] = features[:, height][:, 0]
    joints[:, 1:] = features[:, positions].reshape(len(features), -1, 3)
    found = bone_lengths(joints, target.skeleton)[1:]
    bones = target.bones[1:]
    off = np.abs((found / found.sum()) / (bones / bones.sum()) - 1)
    usual = plain_std(target)[contacts].mean()
    varied = max(float(features[:, contacts].std(0).mean()), MINIMUM_STD)
    return (
        unit_misfit(features[:, rotations])
        + float(np.minimum(1.0, near).mean())
        + float(min(1.0, abs(np.log10(varied / usual))))
        + float(np.median(np.minimum(1.0, off)))
    )


def plain_std(target: Target) -> np.ndarray:
    """(F,) std of the data before its store's normalisation weighted it."""
    ones = np.ones_like(target.std)
    return target.std / weighted_std(ones, target.skeleton, target.normalisation)


def unit_misfit(rotations: np.ndarray) -> float:
    """Median distance from length 1 of the vectors (3 numbers each) in rows (T, 3 C)."""
    lengths = np.linalg.norm(rotations.reshape(len(rotations), -1, 3), axis=-1)
    return float(np.median(np.minimum(1.0, np.abs(lengths - 1))))


def read_statistics(folder: Path, shape: tuple[int, ...]) -> Normalisation:
    """Mean and std, (F,) each, of a folder; written Mean.npy and Std.npy, or in small letters.

    Raises:
        UserError: they are absent, or no such numbers.
    """
    found = []
    for names in (("Mean.npy", "mean.npy"), ("Std.npy", "std.npy")):
        path = next((folder / one for one in names if (folder / one).exists()), folder / names[0])
        try:
            values = read_array(path)
            if values.shape != shape or values.dtype.kind != "f" or not np.isfinite(values).all():
                raise ValueError(f"{values.dtype} of {values.shape}, expected {shape} numbers")
        except (OSError, ValueError) as error:
            said = (error.strerror if isinstance(error, OSError) else None) or error
            raise UserError(
                f"--statistics {folder}: {path.name} can't be used ({said}); name the folder of "
                "the files that the features are normalised with"
            ) from error
        found.append(values.astype(np.float32))
    if not (found[1] > 0).all():
        raise UserError(f"--statistics {folder}: the std is not above zero in every channel")
    mean, std = found
    return Normalisation(f"with the mean and std of {folder}", mean, std)
