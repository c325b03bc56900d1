"""The 272 numbers a frame of MotionStreamer (Xiao et al., ICCV 2025, arXiv:2503.15451).

Layout, as the processing scripts of that representation describe it, K = 22 joints, metres, Y up,
30 frames per second as published for HumanML3D:

- 0:2 step of the root from the frame before, x and z, turned by the heading of the frame before;
- 2:8 turn of the heading since the frame before, as 6D rotation (the first two rows of the matrix);
- 8:74 positions, the root at x = z = 0, turned by the heading; heights are above the floor;
- 74:140 velocities, 140:272 rotations within each parent: not read, positions say where joints are.

What is not known here: which body a system's positions have (they are compared with the data's),
and the published mean and std, without which normalised files can't be read.
Shape letters: T frames, J joints.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from evaluation.external.forms.base import Options, Target, array_shape, read_rows
from evaluation.external.forms.features import Normalisation, read_statistics, unit_misfit
from evaluation.external.forms.joint_form import JointForm
from motiongpt.errors import UserError
from motiongpt.motion.rotations import matrix_from_6d
from motiongpt.motion.skeleton import HUMANML3D, Skeleton

WIDTH = 272
MOST_OFF = 0.3  # of rotations' vectors from length 1; normalised ones are 0.5 off and more
STEPS, TURNS, POSITIONS, ROTATIONS = slice(0, 2), slice(2, 8), slice(8, 74), slice(140, WIDTH)


class Features272(JointForm):
    """`.npy` of these features; their joints are what is scored."""

    name = "features_272"
    ending = ".npy"
    expects = "(frames, 272) features of MotionStreamer"
    takes = frozenset({"fps", "metres_per_unit", "normalised", "statistics"})
    default_fps = 30.0

    def __init__(self, options: Options, target: Target) -> None:
        super().__init__(options, target)
        self.normalisation = Normalisation("no")

    @classmethod
    def fits(cls, path: Path, skeleton: Skeleton) -> bool:
        """See `Form.fits`."""
        shape = array_shape(path)
        return skeleton.name == HUMANML3D.name and len(shape) == 2 and shape[1] == WIDTH

    def look(self, sample: Sequence[Path]) -> Mapping[str, str]:
        """See `Form.look`."""
        rows = []
        for path in sample:
            try:
                rows.append(read_rows(path, (WIDTH,), "features"))
            except UserError as error:
                raise UserError(f"{path}: {error}") from error
        self.normalisation = self._chosen(sample[0], np.concatenate(rows))
        return {"normalised": self.normalisation.words, **super().look(sample)}

    def raw(self, path: Path) -> tuple[np.ndarray, float | None]:
        """See `JointForm.raw`."""
        rows = read_rows(path, (WIDTH,), "features")
        return joints_of(self.normalisation.undone(rows)), None

    def _chosen(self, path: Path, rows: np.ndarray) -> Normalisation:
        if self.options.normalised is False:
            return Normalisation("no")
        if self.options.statistics is not None:
            known = read_statistics(self.options.statistics, (WIDTH,))
            given = unit_misfit(known.undone(rows)[:, ROTATIONS])
            if self.options.normalised or given < unit_misfit(rows[:, ROTATIONS]):
                return known
            return Normalisation("no")
        if self.options.normalised or unit_misfit(rows[:, ROTATIONS]) > MOST_OFF:
            raise UserError(
                f"{path} and others: these features are normalised (their rotations are no unit "
                "vectors), and the data has no mean and std of this form; give the folder of "
                "Mean.npy and Std.npy as --statistics, or say --normalised no"
            )
        return Normalisation("no")


def joints_of(features: np.ndarray) -> np.ndarray:
    """Joints (T, 22, 3) in metres of features (T, 272): steps and turns add up along time."""
    rows = torch.from_numpy(np.asarray(features, np.float64))
    # Rows of the matrix taken as columns are its transpose: the turn back.
    back = matrix_from_6d(rows[:, TURNS])
    headings = [back[0]]
    for turn in back[1:]:
        headings.append(headings[-1] @ turn)
    world = torch.stack(headings)
    joints = torch.einsum("tij,tkj->tki", world, rows[:, POSITIONS].unflatten(1, (-1, 3)))
    steps = torch.zeros(len(rows), 3, dtype=rows.dtype)
    steps[:, 0::2] = rows[:, STEPS]
    steps[1:] = torch.einsum("tij,tj->ti", world[:-1], steps[1:])
    joints[..., 0::2] += steps.cumsum(0)[:, None, 0::2]
    return joints.numpy().astype(np.float32)
