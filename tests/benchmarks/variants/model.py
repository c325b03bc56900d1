"""The whole language model: training under torch.compile, generation with other caches."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from motiongpt.backbones.padding import pad
from motiongpt.backbones.steps.t5 import T5Steps
from motiongpt.backbones.t5 import T5Backbone
from motiongpt.methods.motiongpt.generation.decoding import Decoding
from motiongpt.methods.motiongpt.generation.generate import generate
from motiongpt.methods.motiongpt.training.language_model_cost import transformer_parts
from motiongpt.training.compilation import compile_parts
from tests.benchmarks.speed.language import LANGUAGE_SIZES, pairs, prompts, random_backbone
from tests.benchmarks.speed.part import Settings
from tests.benchmarks.speed.training import autocast
from tests.benchmarks.variants.variant import Group, Way, gradient_of

LOSS, TOKENS = 0.05, 0.0  # of gradients in bfloat16; tokens of a greedy generation are the same
MARKS = 2


def groups(settings: Settings) -> list[Group]:
    """Generation as transformers does it, as the project does it, and training."""
    settings = replace(settings, dropout=0.0)
    return [
        Group(
            "generation by transformers, any token",
            [
                Way("cache that grows", lambda: _transformers(settings)),
                Way("static cache", lambda: _transformers(settings, cache_implementation="static")),
            ],
            TOKENS,
        ),
        Group(
            "generation by the project, motion tokens",
            [
                Way("as it is", lambda: _ours(settings, compiled=False)),
                Way("layers under torch.compile", lambda: _ours(settings, compiled=True)),
            ],
            TOKENS,
        ),
        Group(
            "training, forward and backward, bfloat16",
            [
                Way("as it is", lambda: _training(settings, compiled=False)),
                Way("torch.compile", lambda: _training(settings, compiled=True)),
            ],
            LOSS,
        ),
    ]


class CompiledLayer:
    """A layer of `T5Steps` whose step is compiled, for any position."""

    def __init__(self, layer: Any) -> None:
        self.layer = layer
        self.step = torch.compile(layer.__call__, dynamic=True)

    def __call__(self, *arguments: Any) -> Tensor:
        found: Tensor = self.step(*arguments)
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self.layer, name)


def _backbone(settings: Settings) -> T5Backbone:
    torch.manual_seed(settings.seed)
    return random_backbone(settings)


def _training(settings: Settings, compiled: bool) -> Callable[[], Tensor]:
    backbone = _backbone(settings).train()
    batch = {k: v.to(settings.device) for k, v in backbone.collate(pairs(settings)).items()}
    if compiled:
        compile_parts(transformer_parts(backbone))
    weights = list(backbone.parameters())

    def run() -> Tensor:
        with autocast(settings.device, "bfloat16"):
            loss = backbone.loss(batch)
        loss.backward()
        return gradient_of(weights)

    return run


def _transformers(settings: Settings, **options: str) -> Callable[[], Tensor]:
    backbone = _backbone(settings).eval()
    size = LANGUAGE_SIZES[settings.size]
    rows = backbone.encode_inputs(prompts(settings))
    inputs = pad(rows, backbone.text_tokenizer.pad_token_id).to(settings.device)
    mask = (inputs != backbone.text_tokenizer.pad_token_id).long()
    model: Any = backbone.language_model

    @torch.no_grad()
    def run() -> Tensor:
        found: Tensor = model.generate(
            inputs,
            attention_mask=mask,
            do_sample=False,
            min_new_tokens=size.new_tokens,
            max_new_tokens=size.new_tokens,
            **options,
        )
        return found

    return run


def _ours(settings: Settings, compiled: bool) -> Callable[[], Tensor]:
    backbone = _backbone(settings).eval()
    size = LANGUAGE_SIZES[settings.size]
    texts = prompts(settings)
    counts = [size.new_tokens - MARKS] * len(texts)
    dtype = "bfloat16" if settings.device == "cuda" else "float32"
    decoding = Decoding(strategy="greedy", precision=dtype)
    if compiled:
        steps = backbone.step_model(dtype)
        assert isinstance(steps, T5Steps)
        steps.layers = [CompiledLayer(layer) for layer in steps.layers]  # type: ignore[misc]

    def run() -> Tensor:
        found = generate(backbone, texts, "motion", decoding, counts, settings.seed)
        return pad(backbone.encode_targets(found), 0)

    return run
