"""Metrics that are means over clips or frames: each clip gives a sum and a weight.

Shape letters: N clips, K numbers of the metric.
"""

from abc import abstractmethod
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor

from evaluation.case import Case, Scorers
from evaluation.metrics.base import Batch, Metric
from evaluation.metrics.positions import checked_positions, counted

Shares = dict[str, tuple[float, float]]
"""Number name -> (sum, weight) of one clip; names that are left out weigh nothing."""


class SummedMetric(Metric):
    """Sums what each clip gives, in float64, and divides by the sum of the weights.

    A subclass says what the clips of a batch give; a weight of 0 leaves a clip out. Numbers whose
    weights are all 0 are left out of the result.
    """

    def __init__(self) -> None:
        super().__init__("shares", "positions")

    @abstractmethod
    def of_batch(self, cases: Sequence[Case], scorers: Scorers) -> Iterable[tuple[str, Shares]]:
        """Name of each clip and what it gives."""

    def update(self, batch: Batch) -> None:
        """Take in some clips.

        Raises:
            UserError: no scorers, or a sum that is not finite; names the clip.
        """
        if batch.scorers is None:
            raise self.mistake("needs the scorers of the data set; give Batch(scorers=...)")
        rows = []
        for name, shares in self.of_batch(batch.cases, batch.scorers):
            row = [shares.get(number, (0.0, 0.0)) for number in self.numbers]
            if not np.isfinite(row).all():
                raise self.mistake(
                    f"clip {name} gives NaN or infinity; its motion is broken: leave it out or "
                    "make it anew"
                )
            rows.append(row)
        shape = (len(rows), len(self.numbers), 2)
        self.extend_list("shares", torch.tensor(rows, dtype=torch.float64).view(shape))
        self.extend_list("positions", checked_positions(batch.positions, len(rows), self))

    def compute(self) -> dict[str, Tensor]:
        """Number name -> sum over weight, of every clip once."""
        shares, positions = self.joined_list("shares"), self.joined_list("positions")
        if shares is None or positions is None:
            return {}
        return {
            name: total / weight
            for name, (total, weight) in zip(
                self.numbers, shares[counted(positions, self)].sum(0), strict=True
            )
            if weight > 0
        }


class ClipMetric(SummedMetric):
    """One that judges each output by itself."""

    @abstractmethod
    def of_clip(self, case: Case, scorers: Scorers) -> Shares:
        """What one clip gives."""

    def of_batch(self, cases: Sequence[Case], scorers: Scorers) -> Iterable[tuple[str, Shares]]:
        """Name of each clip and what it gives."""
        return ((case.name, self.of_clip(case, scorers)) for case in cases)
