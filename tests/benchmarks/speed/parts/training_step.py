"""A training step of the language model."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tests.benchmarks.speed.language import LANGUAGE_SIZES, pairs
from tests.benchmarks.speed.original_way import PORTION
from tests.benchmarks.speed.part import ORIGINAL, Check, Findings, Part, Settings, Side
from tests.benchmarks.speed.training import Training, step, training

TOLERANCES = {"float32": 1e-5, "bfloat16": 0.02}  # of a loss, relative; bfloat16 has 8 bits


class TrainingStep(Part):
    """16 clips: padded to 256 tokens in portions of 4, or as long as they are, all at once."""

    title = "Language-model training step"
    unit = "tokens"
    sides = (
        Side(ORIGINAL, "inputs and targets padded to 256, 4 portions of 4, AdamW"),
        Side("ours float32", "right-sized batch, logits where there is a label, fused AdamW"),
        Side("ours bfloat16", "the same under bfloat16 autocast", "bfloat16"),
    )
    repeats = 3

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.size = LANGUAGE_SIZES[settings.size]
        self.pairs = pairs(settings)
        self.lengths = np.array([pair.lengths() for pair in self.pairs])

    def workload(self) -> str:
        """Sizes of model and batch."""
        (read, generated), (most_read, most) = self.lengths.mean(axis=0), self.lengths.max(axis=0)
        return (
            f"{self.size.text()}; {self.size.clips} clips, {read:.0f} tokens in and "
            f"{generated:.0f} out on average, {most_read} and {most} at most"
        )

    def units(self) -> int:
        """Real tokens only: padding is no work."""
        return int(self.lengths.sum())

    def work(self, side: str, folder: Path) -> Callable[[], Any]:
        """Model, optimizer and batch of one side; gives the loss before training."""
        trained = training(side, self.side(side).dtype, self.settings)
        first = self.first_loss(trained)
        portion = PORTION if side == ORIGINAL else self.size.clips

        def run() -> float:
            step(trained, self.pairs, portion)
            trained.optimizer.zero_grad()
            return first

        return run

    @torch.no_grad()
    def first_loss(self, trained: Training) -> float:
        """Loss of the first clips, without dropout."""
        trained.model.eval()
        loss = trained.loss(self.pairs[:PORTION])
        trained.model.train()
        return float(loss)

    def findings(self, output: Any) -> Findings:
        """The loss."""
        return {"loss": np.array(output)}

    def compare(self, original: Findings, own: Findings, dtype: str) -> Check:
        """The loss of the first clips before any step is the same."""
        expected, found = float(original["loss"]), float(own["loss"])
        passed = abs(found - expected) <= TOLERANCES[dtype] * abs(expected)
        return Check(passed, f"loss before training {found:.5f}, original {expected:.5f}")


PART = TrainingStep
