"""A training step of the language model."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

from evaluation.speed import original_way
from evaluation.speed.language import (
    LANGUAGE_SIZES,
    pairs,
    random_backbone,
    random_model,
    weights_of,
)
from evaluation.speed.our_way import optimizer_of, precision
from evaluation.speed.part import (
    ORIGINAL,
    Check,
    Findings,
    Goal,
    Needs,
    Part,
    Repeats,
    Settings,
    Side,
    Work,
)
from motiongpt.allocation import keep_freed_memory

TOLERANCES = {"float32": 1e-5, "bfloat16": 0.02}  # of a loss, relative; bfloat16 has 8 bits
# A step reads the weights forwards and backwards, writes gradients, and AdamW reads four numbers
# a weight and writes three.
NUMBERS_A_WEIGHT = 10
FLOP_A_WEIGHT = 6  # two forwards, four backwards


class TrainingStep(Part):
    """16 clips: padded to 256 tokens in portions of 4, or as long as they are, all at once."""

    title = "Language-model training step"
    unit = "tokens"
    repeats: ClassVar[Mapping[str, Repeats]] = {
        "tiny": Repeats(1, 2),
        "small": Repeats(1, 3),
        "base": Repeats(1, 3),
    }

    def workload(self) -> str:
        """Sizes of model and batch."""
        size = LANGUAGE_SIZES[self.settings.size]
        lengths = self._lengths()
        return (
            f"T5, width {size.width}, {size.layers} + {size.layers} layers, {size.rows:,} rows; "
            f"{size.clips} clips, {lengths[0].mean():.0f} tokens in and {lengths[1].mean():.0f} "
            f"out on average, {lengths[0].max()} and {lengths[1].max()} at most"
        )

    def sides(self) -> Sequence[Side]:
        """The original's way, and ours in both precisions."""
        return (
            Side(ORIGINAL, "float32", "inputs and targets padded to 256, 4 portions of 4, AdamW"),
            Side(
                "ours float32",
                "float32",
                "right-sized batch, logits where there is a label, fused AdamW",
                {"cpu": Goal(ratio=6.0, memory_share=0.5)},
            ),
            Side(
                "ours bfloat16",
                "bfloat16",
                "the same under bfloat16 autocast",
                {"cpu": Goal(ratio=12.0, memory_share=0.5)},
            ),
        )

    def work(self, side: str, folder: Path) -> Work:
        """Model, optimizer and batch of one side."""
        dtype = next(one.dtype for one in self.sides() if one.name == side)
        return _Original(self.settings) if side == ORIGINAL else _Ours(self.settings, dtype)

    def needs(self) -> Needs:
        """Real tokens only: padding is no work."""
        size = LANGUAGE_SIZES[self.settings.size]
        encoder, decoder = weights_of(size)
        read, written = (int(lengths.sum()) for lengths in self._lengths())
        output = size.rows * size.width
        return Needs(
            units=read + written,
            flop=FLOP_A_WEIGHT * (encoder * read + (decoder + output) * written),
            numbers=NUMBERS_A_WEIGHT * (encoder + decoder + 2 * output),
        )

    def checks(self, found: Mapping[str, Findings]) -> list[Check]:
        """The loss of the first clips, without dropout and before any step, is the same."""
        checks = []
        for side in self.sides():
            if side.name in found and side.name != ORIGINAL and ORIGINAL in found:
                loss, other = (float(found[name]["loss"]) for name in (ORIGINAL, side.name))
                passed = abs(other - loss) <= TOLERANCES[side.dtype] * abs(loss)
                text = f"loss before training {loss:.5f}, {side.name} {other:.5f}"
                checks.append(Check(text, bool(passed)))
        return checks

    def measures(self, found: Findings) -> dict[str, float]:
        """Loss of the first clips before training."""
        return {"loss before training": float(found["loss"])}

    def _lengths(self) -> tuple[np.ndarray, np.ndarray]:
        """Tokens of every input and target, the end of text included; words are tokens."""
        made = pairs(self.settings)
        read = np.array([len(pair.input.split()) + 1 for pair in made])
        return read, np.array([pair.target.count("<") + 1 for pair in made])


class _Original:
    def __init__(self, settings: Settings) -> None:
        self.model, self.text_tokenizer = random_model(settings)
        made = pairs(settings)
        self.inputs = [pair.input for pair in made]
        self.targets = [pair.target for pair in made]
        self.optimizer = original_way.optimizer_of(self.model)
        self._loss = self._first_loss()

    def run(self) -> None:
        original_way.training_step(
            self.model, self.text_tokenizer, self.optimizer, self.inputs, self.targets
        )
        self.optimizer.zero_grad()

    def findings(self) -> Findings:
        return {"loss": np.array(self._loss)}

    @torch.no_grad()
    def _first_loss(self) -> float:
        self.model.eval()
        first = slice(0, original_way.PORTION)
        loss = original_way.losses(
            self.model, self.text_tokenizer, self.inputs[first], self.targets[first]
        )
        self.model.train()
        return float(loss)


class _Ours:
    def __init__(self, settings: Settings, dtype: str) -> None:
        keep_freed_memory()  # as every training does
        self.backbone = random_backbone(settings)
        self.device, self.dtype = settings.device, dtype
        self.pairs = pairs(settings)
        self.optimizer = optimizer_of(self.backbone.parameters())
        self._loss = self._first_loss()

    def run(self) -> None:
        batch = self.backbone.collate(self.pairs)
        batch = {name: tensor.to(self.device) for name, tensor in batch.items()}
        with precision(self.device, self.dtype):
            loss, _ = self.backbone.loss_and_count(batch)
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad()

    def findings(self) -> Findings:
        return {"loss": np.array(self._loss)}

    @torch.no_grad()
    def _first_loss(self) -> float:
        self.backbone.eval()
        batch = self.backbone.collate(self.pairs[: original_way.PORTION])
        with precision(self.device, self.dtype):
            loss = self.backbone.loss(
                {name: tensor.to(self.device) for name, tensor in batch.items()}
            )
        self.backbone.train()
        return float(loss)
