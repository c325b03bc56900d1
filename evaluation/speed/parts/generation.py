"""Writing motions for captions, sampled."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from evaluation.speed import original_way
from evaluation.speed.language import (
    LANGUAGE_SIZES,
    prompts,
    random_backbone,
    random_model,
    weights_of,
)
from evaluation.speed.part import ORIGINAL, Check, Findings, Goal, Needs, Part, Settings, Side, Work
from motiongpt.allocation import keep_freed_memory
from motiongpt.methods.motiongpt.generation.decoding import Decoding
from motiongpt.methods.motiongpt.generation.generate import generate

MARKS = 2  # start and end of a motion


class Generation(Part):
    """32 captions x 128 tokens: any row of the vocabulary, or motion tokens only."""

    title = "Writing motions for captions, sampled"
    unit = "tokens"

    def workload(self) -> str:
        """Sizes of model and batch."""
        size = LANGUAGE_SIZES[self.settings.size]
        return (
            f"T5, width {size.width}, {size.layers} + {size.layers} layers, {size.rows:,} rows; "
            f"{size.captions} captions of {self._lengths().mean():.0f} tokens on average, "
            f"{size.new_tokens} new tokens each"
        )

    def sides(self) -> Sequence[Side]:
        """The original's way, and ours in both precisions."""
        return (
            Side(ORIGINAL, "float32", "prompts padded to 256, transformers' sampling of all rows"),
            Side(
                "ours float32",
                "float32",
                "right-sized prompts, only motion tokens projected and sampled",
                {"cpu": Goal(ratio=4.0)},
            ),
            Side(
                "ours bfloat16",
                "bfloat16",
                "the same with weights in bfloat16",
                {"cpu": Goal(ratio=4.0)},
            ),
        )

    def work(self, side: str, folder: Path) -> Work:
        """Model and prompts of one side."""
        dtype = next(one.dtype for one in self.sides() if one.name == side)
        return _Original(self.settings) if side == ORIGINAL else _Ours(self.settings, dtype)

    def needs(self) -> Needs:
        """The prompts read once; for every token the decoder's weights and the motion rows."""
        size = LANGUAGE_SIZES[self.settings.size]
        encoder, decoder = weights_of(size)
        decoder += (size.codebook + 3) * size.width
        tokens = size.captions * size.new_tokens
        return Needs(
            units=tokens,
            flop=2.0 * (encoder * int(self._lengths().sum()) + decoder * tokens),
            numbers=encoder + decoder * size.new_tokens,
        )

    def checks(self, found: Mapping[str, Findings]) -> list[Check]:
        """Every side wrote as many tokens in every row."""
        wanted = LANGUAGE_SIZES[self.settings.size].new_tokens
        lengths = {name: sorted(set(one["lengths"].tolist())) for name, one in found.items()}
        return [
            Check(f"{name}: {', '.join(map(str, some))} tokens in every row", some == [wanted])
            for name, some in lengths.items()
        ]

    def _lengths(self) -> np.ndarray:
        return np.array([len(prompt.split()) + 1 for prompt in prompts(self.settings)])


class _Original:
    def __init__(self, settings: Settings) -> None:
        model, self.text_tokenizer = random_model(settings)
        self.model = model.eval()
        self.prompts = prompts(settings)
        self.new_tokens = LANGUAGE_SIZES[settings.size].new_tokens
        self._written = torch.empty(0, 0)

    def run(self) -> None:
        self._written = original_way.generate(
            self.model, self.text_tokenizer, self.prompts, self.new_tokens
        )

    def findings(self) -> Findings:
        rows, tokens = self._written.shape
        return {"lengths": np.full(rows, tokens)}


class _Ours:
    def __init__(self, settings: Settings, dtype: str) -> None:
        keep_freed_memory()  # as MotionGPT.from_pretrained does
        self.backbone = random_backbone(settings).eval()
        self.prompts = prompts(settings)
        size = LANGUAGE_SIZES[settings.size]
        self.counts = [size.new_tokens - MARKS] * size.captions
        self.seed = settings.seed
        self.decoding = Decoding(strategy="sampling", precision=dtype)
        self._written: list[str] = []

    def run(self) -> None:
        self._written = generate(
            self.backbone, self.prompts, "motion", self.decoding, self.counts, self.seed
        )

    def findings(self) -> Findings:
        return {"lengths": np.array([text.count("<") for text in self._written])}
