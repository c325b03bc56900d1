"""The loss while a language model is trained: what is fast must learn as what was slow did."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from motiongpt.backbones.motion_vocabulary import MotionVocabulary
from tests.benchmarks.speed.language import LANGUAGE_SIZES, Pair, prompts
from tests.benchmarks.speed.part import ORIGINAL, Check, Findings, Part, Settings, Side
from tests.benchmarks.speed.training import step, training

# The model is small, so that some hundred steps of the original's way take about a minute.
SIZES = {"tiny": "tiny", "small": "curve", "base": "curve"}
STEPS = {"tiny": 20, "small": 300, "base": 300}
STRETCH = 10  # losses are compared as means over so many steps
CODES_A_WORD = 3
# Of any stretch's loss, relative. Rounding grows with every step of AdamW.
TOLERANCES = {"float32": 2e-4, "bfloat16": 5e-3}


class TrainingCurve(Part):
    """The same clips in the same order, without dropout: loss after loss."""

    title = "Losses of a language model in training"
    unit = "tokens"
    sides = (
        Side(ORIGINAL, "inputs and targets padded to 256, AdamW"),
        Side("ours float32", "right-sized batches, fused AdamW"),
        Side("ours bfloat16", "the same under bfloat16 autocast", "bfloat16"),
    )
    warm_up = 0
    repeats = 1

    def __init__(self, settings: Settings) -> None:
        super().__init__(replace(settings, size=SIZES[settings.size], dropout=0.0))
        self.steps = STEPS[settings.size]
        self.size = LANGUAGE_SIZES[self.settings.size]

    def workload(self) -> str:
        """Sizes of model and batch."""
        return (
            f"{self.size.text()}; {self.steps} steps of {self.size.clips} clips, {CODES_A_WORD} "
            "tokens for every word, no dropout"
        )

    def units(self) -> int:
        """Real tokens only: padding is no work."""
        return sum(sum(pair.lengths()) for batch in self._batches() for pair in batch)

    def work(self, side: str, folder: Path) -> Callable[[], Any]:
        """Model, optimizer and batches of one side; gives the losses of all steps so far."""
        trained = training(side, self.side(side).dtype, self.settings)
        batches = self._batches()
        losses: list[Tensor] = []

        def run() -> list[Tensor]:
            losses.extend(step(trained, batch, portion=len(batch)) for batch in batches)
            return losses

        return run

    def findings(self, output: Any) -> Findings:
        """Mean loss of each stretch of steps."""
        losses = torch.stack(output).float().cpu().numpy()
        return {"losses": losses.reshape(-1, STRETCH).mean(axis=1)}

    def compare(self, original: Findings, own: Findings, dtype: str) -> Check:
        """Every stretch of the curve is the original's, and the model has learned by its end."""
        expected, found = original["losses"], own["losses"]
        furthest = float(np.abs(found / expected - 1).max())
        return Check(
            bool(furthest <= TOLERANCES[dtype] and expected[-1] < expected[0]),
            f"losses of {self.steps} steps, as means of {STRETCH}, differ by {furthest:.3%} at "
            f"most (allowed {TOLERANCES[dtype]:.2%}); they fall from {found[0]:.4f} to "
            f"{found[-1]:.4f}, the original's from {expected[0]:.4f} to {expected[-1]:.4f}",
        )

    def _batches(self) -> list[list[Pair]]:
        """One a step; every word of a caption is a few codes, which can be learned."""
        size, settings = self.size, self.settings
        rng = np.random.default_rng(settings.seed)
        vocabulary = MotionVocabulary(size.codebook)
        meanings = rng.integers(0, size.codebook, (size.text_tokens, CODES_A_WORD))
        batches = []
        for number in range(self.steps):
            made = []
            for prompt in prompts(replace(settings, seed=settings.seed + number))[: size.clips]:
                words = [int(word[4:]) for word in prompt.split() if word.startswith("word")]
                made.append(Pair(prompt, vocabulary.write(meanings[words].ravel())))
            batches.append(made)
        return batches


PART = TrainingCurve
