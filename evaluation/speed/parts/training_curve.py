"""The loss while a language model is trained: what is fast must learn as what was slow did."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from evaluation.speed import original_way
from evaluation.speed.language import (
    LANGUAGE_SIZES,
    Pair,
    prompts,
    random_backbone,
    random_model,
    weights_of,
)
from evaluation.speed.our_way import optimizer_of, precision
from evaluation.speed.part import (
    ORIGINAL,
    Check,
    Findings,
    Needs,
    Part,
    Repeats,
    Settings,
    Side,
    Work,
)
from evaluation.speed.parts.training_step import FLOP_A_WEIGHT, NUMBERS_A_WEIGHT
from motiongpt.backbones.motion_vocabulary import MotionVocabulary

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
    repeats: ClassVar[Mapping[str, Repeats]] = dict.fromkeys(SIZES, Repeats(0, 1))

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.model_settings = replace(settings, size=SIZES[settings.size], dropout=0.0)
        self.steps = STEPS[settings.size]

    def workload(self) -> str:
        """Sizes of model and batch."""
        size = LANGUAGE_SIZES[self.model_settings.size]
        return (
            f"T5, width {size.width}, {size.layers} + {size.layers} layers, {size.rows:,} rows; "
            f"{self.steps} steps of {size.clips} clips, {CODES_A_WORD} tokens for every word, "
            "no dropout"
        )

    def sides(self) -> Sequence[Side]:
        """The original's way, and ours in both precisions."""
        return (
            Side(ORIGINAL, "float32", "inputs and targets padded to 256, AdamW"),
            Side("ours float32", "float32", "right-sized batches, fused AdamW"),
            Side("ours bfloat16", "bfloat16", "the same under bfloat16 autocast"),
        )

    def work(self, side: str, folder: Path) -> Work:
        """Model, optimizer and batches of one side."""
        dtype = next(one.dtype for one in self.sides() if one.name == side)
        if side == ORIGINAL:
            return _Original(self.model_settings, self.steps)
        return _Ours(self.model_settings, self.steps, dtype)

    def needs(self) -> Needs:
        """Real tokens only: padding is no work."""
        size = LANGUAGE_SIZES[self.model_settings.size]
        encoder, decoder = weights_of(size)
        output = size.rows * size.width
        batches = [pair for batch in _batches(self.model_settings, self.steps) for pair in batch]
        read = sum(len(pair.input.split()) + 1 for pair in batches)
        written = sum(pair.target.count("<") + 1 for pair in batches)
        return Needs(
            units=read + written,
            flop=FLOP_A_WEIGHT * (encoder * read + (decoder + output) * written),
            numbers=NUMBERS_A_WEIGHT * self.steps * (encoder + decoder + 2 * output),
        )

    def checks(self, found: Mapping[str, Findings]) -> list[Check]:
        """Every stretch of the curve is the original's, and the model has learned by its end."""
        if ORIGINAL not in found:
            return []
        expected = _stretches(found[ORIGINAL])
        learned = Check(
            f"loss falls from {expected[0]:.4f} to {expected[-1]:.4f}",
            bool(expected[-1] < expected[0]),
        )
        checks = [learned]
        for side in self.sides():
            if side.name in found and side.name != ORIGINAL:
                losses = _stretches(found[side.name])
                furthest = float(np.abs(losses / expected - 1).max())
                text = (
                    f"losses of {self.steps} steps, as means of {STRETCH}: {side.name} differs by "
                    f"{furthest:.3%} at most (allowed {TOLERANCES[side.dtype]:.2%}), "
                    f"at the end {losses[-1]:.4f}, original {expected[-1]:.4f}"
                )
                checks.append(Check(text, furthest <= TOLERANCES[side.dtype]))
        return checks

    def measures(self, found: Findings) -> dict[str, float]:
        """Loss of the last stretch."""
        return {"loss at the end": float(_stretches(found)[-1])}


def _stretches(found: Findings) -> np.ndarray:
    return found["losses"].reshape(-1, STRETCH).mean(axis=1)


def _batches(settings: Settings, steps: int) -> Iterator[list[Pair]]:
    """As many batches as steps; every word of a caption is a few codes, which can be learned."""
    size = LANGUAGE_SIZES[settings.size]
    draw = np.random.default_rng(settings.seed)
    vocabulary = MotionVocabulary(size.codebook)
    meanings = draw.integers(0, size.codebook, (size.text_tokens, CODES_A_WORD))
    for step in range(steps):
        made = []
        for prompt in prompts(replace(settings, seed=settings.seed + step))[: size.clips]:
            numbers = [int(word[4:]) for word in prompt.split() if word.startswith("word")]
            made.append(Pair(prompt, vocabulary.write(meanings[numbers].ravel())))
        yield made


class _Original:
    def __init__(self, settings: Settings, steps: int) -> None:
        self.model, self.text_tokenizer = random_model(settings)
        self.optimizer = original_way.optimizer_of(self.model.train())
        self.batches = list(_batches(settings, steps))
        self.losses: list[Tensor] = []

    def run(self) -> None:
        for batch in self.batches:
            inputs, targets = [one.input for one in batch], [one.target for one in batch]
            loss = original_way.losses(self.model, self.text_tokenizer, inputs, targets)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.losses.append(loss.detach())

    def findings(self) -> Findings:
        return {"losses": torch.stack(self.losses).cpu().numpy()}


class _Ours:
    def __init__(self, settings: Settings, steps: int, dtype: str) -> None:
        self.backbone = random_backbone(settings).train()
        self.optimizer = optimizer_of(self.backbone.parameters())
        self.device, self.dtype = settings.device, dtype
        self.batches = list(_batches(settings, steps))
        self.losses: list[Tensor] = []

    def run(self) -> None:
        for pairs in self.batches:
            batch = self.backbone.collate(pairs)
            batch = {name: tensor.to(self.device) for name, tensor in batch.items()}
            with precision(self.device, self.dtype):
                loss, _ = self.backbone.loss_and_count(batch)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.losses.append(loss.detach())

    def findings(self) -> Findings:
        return {"losses": torch.stack(self.losses).float().cpu().numpy()}
