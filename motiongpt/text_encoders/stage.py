"""The stage that leaves a text encoder behind: a published one, or one of our own training."""

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

import numpy as np
from hydra.utils import instantiate
from omegaconf import DictConfig
from torch.nn import functional

from motiongpt.data.store import MotionStore
from motiongpt.preflight import Outlook, preflight
from motiongpt.text_encoders.base import TextEncoder, TextEncoderFactory
from motiongpt.text_encoders.loading import load_text_encoder
from motiongpt.training.stage import Stage, StageContext

MODEL = "model"
POOL = 256
"""Clips among which a caption's sibling is looked for, at most."""


class TextEncoderStage(Stage):
    """Leaves the folder `model/`, which `load_text_encoder` opens and which needs no other file.

    Args:
        text_encoder: a node of conf/text_encoder, which builds a `TextEncoderFactory`.
        seed: of its training.
    """

    can_start: ClassVar[bool] = True

    def __init__(self, text_encoder: DictConfig, seed: int) -> None:
        self.make: TextEncoderFactory = instantiate(text_encoder)
        self.seed = seed

    def preflight(self, outlook: Outlook) -> Iterable[str]:
        """What the encoder needs."""
        return () if outlook.init_from else preflight(self.make, outlook)

    def run(self, context: StageContext) -> Mapping[str, float]:
        """Make it, save it, and report how well it finds the other caption of a clip not seen.

        An interrupted training starts anew: it takes a minute. With another run to start from it
        is that run's encoder, words and all: what is trained on its features knows no other.

        Raises:
            UserError: it can't be had, or there are no captions to learn from.
        """
        store = context.store
        if (trained := context.start.take()) is None:
            encoder = self.make(captions_of(store, "train"), self.seed, context.log)
        else:
            encoder = load_text_encoder(trained)
            context.log(f"  {context.stage}: is that of {trained}")
        encoder.save(context.folder / MODEL)
        found = sibling_retrieval(encoder.to(context.device), captions_of(store, "val"))
        if not found:
            context.log("  text encoder: no two validation clips have two captions to compare")
        parameters = sum(weight.numel() for weight in encoder.parameters())
        return {
            "width": float(encoder.width),
            "parameters": float(parameters),
            **{f"val/{name}": value for name, value in found.items()},
        }


def captions_of(store: MotionStore, split: str) -> list[list[str]]:
    """Captions of each clip of a split, in the order of the store; clips may have none."""
    return [[one.text for one in store.captions(int(index))] for index in store.indices(split)]


def sibling_retrieval(
    encoder: TextEncoder, captions_by_clip: Sequence[Sequence[str]]
) -> dict[str, float]:
    """How often a clip's first caption lies nearest to its second, by cosine, in per cent.

    The second captions of all clips are candidates; at most `POOL` clips, spread over those that
    have two captions. Equal captions are equally near. Empty where there are fewer than two.
    """
    pairs = [texts[:2] for texts in captions_by_clip if len(texts) > 1]
    if len(pairs) < 2:
        return {}
    chosen = np.linspace(0, len(pairs) - 1, min(POOL, len(pairs))).astype(int)
    first = functional.normalize(encoder.encode([pairs[k][0] for k in chosen]), dim=-1)
    second = functional.normalize(encoder.encode([pairs[k][1] for k in chosen]), dim=-1)
    cosines = first @ second.T
    right = cosines.diagonal() >= cosines.amax(1) - 1e-6
    return {
        "sibling_top1_percent": 100.0 * float(right.double().mean()),
        "sibling_chance_percent": 100.0 / len(chosen),
    }
