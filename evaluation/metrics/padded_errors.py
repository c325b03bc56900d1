"""Joint errors as MotionGPT's released code computes them on padded batches (C5, C6 of the audit).

Only for comparison with its numbers; `reconstruction` and `displacement` are the right way. Its
loader sorts clips by length and takes 32 at a time; what a clip lacks of the longest of its batch
is the mean pose, in features, so that the root drifts on from where the clip ended.

Shape letters: N clips, T frames of the longest of a batch, L frames up to which clips are padded
until their batch is known, J joints in metres.
"""

from abc import abstractmethod

import numpy as np
import torch
from torch import Tensor

from evaluation.case import Case, joints_of
from evaluation.metrics.base import Batch, Kind, Metric
from evaluation.metrics.joint_errors import errors_by_name
from evaluation.metrics.numbers import Number
from evaluation.metrics.positions import checked_positions, counted

BATCH_SIZE = 32  # of MotionGPT's evaluation
LONGEST = 400  # HumanML3D's clips have fewer than 200 frames


class PaddedMetric(Metric):
    """Keeps what each frame of a padded clip gives; batches are formed when all clips are known.

    A method that made joints and no features, a baseline, holds its last pose in the padding.

    Args:
        longest: L; a longer clip is refused.
    """

    def __init__(self, longest: int = LONGEST) -> None:
        super().__init__("values", "spans", "positions")
        self.longest = longest

    @abstractmethod
    def of_frames(self, found: Tensor, wanted: Tensor) -> Tensor:
        """What each frame of two motions (L, J, 3) gives, (L,) or fewer."""

    @abstractmethod
    def total(self, values: Tensor, spans: Tensor, padded: Tensor) -> Tensor:
        """The number, a scalar.

        Args:
            values: (N, L) of all frames, in float64.
            spans: (N, 3) int64: frames of the clip, and the first and the end of those that the
                model generated.
            padded: (N,) int64, T of each clip's batch.
        """

    def update(self, batch: Batch) -> None:
        """Take in some clips.

        Raises:
            UserError: no mean pose, a clip longer than L, or a motion that is not finite.
        """
        if batch.scorers is None or batch.scorers.mean is None:
            raise self.mistake("needs the mean pose for its padding; give Scorers(mean=...)")
        rows = [self._row(case, batch.scorers.mean) for case in batch.cases]
        spans = torch.tensor([_span(case) for case in batch.cases], dtype=torch.int64).view(-1, 3)
        self.extend_list("values", torch.stack(rows))
        self.extend_list("spans", spans)
        self.extend_list("positions", checked_positions(batch.positions, len(rows), self))

    def compute(self) -> dict[str, Tensor]:
        """One number over all clips, in batches of 32 in the order of their lengths."""
        positions, values, spans = (
            self.joined_list(name) for name in ("positions", "values", "spans")
        )
        if positions is None or values is None or spans is None:
            return {}
        order = counted(positions, self)
        spans, values = spans[order], values[order].double()
        by_length = spans[:, 0].argsort(stable=True)
        spans, values = spans[by_length], values[by_length]
        padded = torch.cat(
            [batch.max().expand(len(batch)) for batch in spans[:, 0].split(BATCH_SIZE)]
        )
        return {name: self.total(values, spans, padded) for name in self.numbers}

    def _row(self, case: Case, mean: np.ndarray) -> Tensor:
        frames = len(case.reference)
        if frames > self.longest:
            raise self.mistake(
                f"clip {case.name} has {frames} frames, more than {self.longest}; give the metric "
                "a larger `longest`"
            )
        wanted = joints_of(_padded(case.reference, mean, self.longest), case.skeleton)
        if case.known_joints is None:
            features = _padded(case.features[:frames], mean, self.longest)
            found = joints_of(features, case.skeleton)
        else:
            known = case.known_joints[:frames]
            found = np.concatenate([known, np.repeat(known[-1:], self.longest - len(known), 0)])
        if not np.isfinite(found).all():
            raise self.mistake(
                f"clip {case.name} gives NaN or infinity; its motion is broken: leave it out or "
                "make it anew"
            )
        return self.of_frames(torch.from_numpy(found), torch.from_numpy(wanted))


class PaddedJointError(PaddedMetric):
    """C6: the sum over all frames of the batch over the number of valid ones, in millimetres.

    Args:
        kind: "mpjpe", "pa_mpjpe" or "acceleration_error".
        longest: see `PaddedMetric`.
    """

    kinds: frozenset[Kind] = frozenset({"reconstruction"})

    def __init__(self, kind: str, longest: int = LONGEST) -> None:
        super().__init__(longest)
        self.errors = errors_by_name(kind)
        self.numbers = {kind: Number("mm")}

    def of_frames(self, found: Tensor, wanted: Tensor) -> Tensor:
        """The error of each frame; of L frames there are L - 2 accelerations."""
        return self.errors(found, wanted)

    def total(self, values: Tensor, spans: Tensor, padded: Tensor) -> Tensor:
        """Means as released: over valid frames, of which each clip has 2 fewer accelerations."""
        fewer = self.longest - values.shape[1]
        counted_frames = torch.arange(values.shape[1]) < (padded - fewer)[:, None]
        return (values * counted_frames).sum() / (spans[:, 0] - fewer).sum()


class PaddedDisplacement(PaddedMetric):
    """C5: norm over all 3 J numbers of a pose, in metres; where the model generates to the end of a
    clip, to the end of the padded batch.

    Args:
        kind: "ade" (mean over the frames) or "fde" (the last of them); both means over clips.
        longest: see `PaddedMetric`.
    """

    def __init__(self, kind: str, longest: int = LONGEST) -> None:
        super().__init__(longest)
        self.last_only = kind == "fde"
        self.numbers = {kind: Number("m")}
        self.kinds = frozenset(
            {"continuation"} if self.last_only else {"continuation", "inbetween"}
        )

    def of_frames(self, found: Tensor, wanted: Tensor) -> Tensor:
        """The norm of each frame, (L,)."""
        return (found - wanted).flatten(1).norm(dim=-1)

    def total(self, values: Tensor, spans: Tensor, padded: Tensor) -> Tensor:
        """Mean over the clips of which the model generated something."""
        frames, first, end = spans.T
        end = torch.where(end == frames, padded, end)[:, None]
        first = torch.maximum(first[:, None], end - 1) if self.last_only else first[:, None]
        frames = torch.arange(values.shape[1])
        generated = (frames >= first) & (frames < end)
        means = (values * generated).sum(1) / generated.sum(1)
        return means[generated.any(1)].mean()


def _padded(features: np.ndarray, mean: np.ndarray, frames: int) -> np.ndarray:
    padding = np.repeat(mean[None].astype(np.float32), frames - len(features), axis=0)
    return np.concatenate([features, padding])


def _span(case: Case) -> tuple[int, int, int]:
    """Frames of the clip; first and end of those that were not given."""
    generated = np.flatnonzero(~case.given)
    first, last = (int(generated[0]), int(generated[-1])) if len(generated) else (0, -1)
    return len(case.reference), first, last + 1
