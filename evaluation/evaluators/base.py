"""What an evaluator is: a frozen network that puts motions and sentences into one space.

A new kind needs a class of each sort in a file of this package and a yaml in conf/evaluator.
Shapes: N clips or sentences, T frames, F features, D width of an embedding.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import torch

from motiongpt.data.clip import Caption
from motiongpt.data.store import MotionStore
from motiongpt.preflight import Outlook

Packing = Literal["packed", "released"]
"""packed: an embedding depends on its clip alone; released: as MotionGPT's released code does."""
DESCRIPTION = "evaluator.json"
"""Holds the name of the class under "class"; the rest is the class's own."""
MAX_WORDS = 20
"""Of a caption in T2M's evaluation; what follows is cut off."""


class Evaluator(ABC):
    """Embeds raw motions and sentences; it takes care of normalisation, words and tags itself.

    Attributes:
        fingerprint: first 16 letters of the SHA-256 of weights, statistics and words.
        description: plain JSON for the record: "name", "words" ("glove" or "learned"), "tags"
            of captions ("data", "spacy", "frequent" or "none"), "sentence_tags" of sentences
            that the data set has no tags for, "max_frames", "sizes".
    """

    fingerprint: str
    description: dict[str, Any]

    @abstractmethod
    def motion_embeddings(
        self, features: Sequence[np.ndarray], packing: Packing = "packed"
    ) -> np.ndarray:
        """Embeddings (N, D) float32 of clips (T, F), not normalised.

        Raises:
            UserError: names the clip that is too short or long, not finite or of another width.
        """

    @abstractmethod
    def text_embeddings(
        self, captions: Sequence[Caption | str], max_words: int = MAX_WORDS
    ) -> np.ndarray:
        """Embeddings (N, D) float32 of sentences, of which the first `max_words` words count."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write into `folder` all that `load` needs, `DESCRIPTION` last."""

    @classmethod
    @abstractmethod
    def load(cls, folder: Path, device: str | torch.device = "cpu") -> Self:
        """Read what `save` wrote.

        Raises:
            UserError: a file is missing or damaged.
        """


class EvaluatorSource(ABC):
    """Where an evaluator comes from; built by Hydra from one yaml of `conf/evaluator`."""

    def preflight(self, outlook: Outlook) -> Iterable[str]:
        """See `Stage.preflight`; for files that it reads."""
        return ()

    def lacking(self, store: MotionStore) -> str:
        """Why this data can't give one; empty where it can."""
        return ""

    @abstractmethod
    def make(
        self,
        store: MotionStore,
        seed: int,
        log: Callable[[str], None],
        device: str | torch.device = "cpu",
    ) -> Evaluator:
        """Train one on the training split of `store`, or read one from files.

        Raises:
            UserError: it can't be had from this data or these files.
        """
