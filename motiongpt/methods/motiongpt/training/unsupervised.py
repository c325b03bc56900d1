"""The unsupervised half of pretraining: what a backbone learns from text and motion strings alone.

Here is the only place where backbones differ in it: one with an encoder gets span corruption, one
without plain language modelling, in which the whole string is the target of an empty input.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from motiongpt.backbones.base import Backbone
from motiongpt.methods.motiongpt.tasks.example import Example, TokenExample
from motiongpt.methods.motiongpt.training.span_corruption import (
    CORRUPTED_SHARE,
    MEAN_SPAN_LENGTH,
    SpanCorruption,
)

Row: TypeAlias = tuple[list[int], list[int]]
"""Ids that are read, and ids that are to be written."""
Objective: TypeAlias = Callable[[str, np.random.Generator], Example | TokenExample]


class LanguageModelling:
    """Makes an example of any text by having it generated from nothing."""

    def __call__(self, text: str, rng: np.random.Generator) -> Example | TokenExample:
        """Whole text as the target of an empty input; nothing is drawn."""
        return Example("", text)


def unsupervised_objective(
    backbone: Backbone,
    share: float = CORRUPTED_SHARE,
    mean_span_length: float = MEAN_SPAN_LENGTH,
) -> Objective:
    """Choose the objective that fits a backbone.

    Args:
        backbone: its text tokenizer makes the ids of span corruption.
        share: of tokens that are corrupted.
        mean_span_length: of corrupted spans, in tokens.

    Raises:
        UserError: it has an encoder, but its text tokenizer has no sentinels.
    """
    if not backbone.language_model.config.is_encoder_decoder:
        return LanguageModelling()
    most_tokens = min(backbone.max_input_tokens, backbone.max_target_tokens)
    return SpanCorruption(backbone.text_tokenizer, most_tokens, share, mean_span_length)


def token_rows(backbone: Backbone, examples: Sequence[Example | TokenExample]) -> list[Row]:
    """A row of each example, of both kinds, in order."""
    # All strings are encoded in one call: the text tokenizer's own overhead is per call.
    strings = [example for example in examples if isinstance(example, Example)]
    inputs = iter(backbone.encode_inputs([example.input for example in strings]))
    targets = iter(backbone.encode_targets([example.target for example in strings]))
    return [
        (list(example.input_ids), list(example.target_ids))
        if isinstance(example, TokenExample)
        else (next(inputs), next(targets))
        for example in examples
    ]
