"""Generating motions for captions, sampled."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from motiongpt.allocation import keep_freed_memory
from motiongpt.methods.motiongpt.generation.decoding import Decoding
from motiongpt.methods.motiongpt.generation.generate import generate
from tests.benchmarks.speed import original_way
from tests.benchmarks.speed.language import (
    LANGUAGE_SIZES,
    prompts,
    random_backbone,
    random_model,
)
from tests.benchmarks.speed.part import ORIGINAL, Check, Findings, Part, Settings, Side

MARKS = 2  # start and end of a motion


class Generation(Part):
    """32 captions x 128 tokens: any row of the vocabulary, or motion tokens only."""

    title = "Generating motions for captions, sampled"
    unit = "tokens"
    sides = (
        Side(ORIGINAL, "prompts padded to 256, transformers' sampling of all rows"),
        Side("ours float32", "right-sized prompts, only motion tokens projected and sampled"),
        Side("ours bfloat16", "the same with weights in bfloat16", "bfloat16"),
    )

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.size = LANGUAGE_SIZES[settings.size]
        self.prompts = prompts(settings)

    def workload(self) -> str:
        """Sizes of model and batch."""
        length = np.mean([len(prompt.split()) + 1 for prompt in self.prompts])
        return (
            f"{self.size.text()}; {self.size.captions} captions of {length:.0f} tokens on average, "
            f"{self.size.new_tokens} new tokens each"
        )

    def units(self) -> int:
        """Tokens that are generated."""
        return self.size.captions * self.size.new_tokens

    def work(self, side: str, folder: Path) -> Callable[[], Any]:
        """Model and prompts of one side."""
        if side == ORIGINAL:
            model, text_tokenizer = random_model(self.settings)
            arguments = model.eval(), text_tokenizer, self.prompts, self.size.new_tokens
            return lambda: original_way.generate(*arguments)
        keep_freed_memory()  # as MotionGPT.from_pretrained does
        backbone = random_backbone(self.settings).eval()
        counts = [self.size.new_tokens - MARKS] * self.size.captions
        decoding = Decoding(strategy="sampling", precision=self.side(side).dtype)
        return lambda: generate(
            backbone, self.prompts, "motion", decoding, counts, self.settings.seed
        )

    def findings(self, output: Any) -> Findings:
        """Tokens in each row."""
        if isinstance(output, Tensor):
            return {"lengths": np.full(*output.shape)}
        return {"lengths": np.array([text.count("<") for text in output])}

    def compare(self, original: Findings, own: Findings, dtype: str) -> Check:
        """Both generated as many tokens in every row."""
        lengths = sorted({*original["lengths"].tolist(), *own["lengths"].tolist()})
        text = f"{', '.join(map(str, lengths))} tokens in every row"
        return Check(lengths == [self.size.new_tokens], text)


PART = Generation
