"""The evaluator that the tables of the field were made with, from its authors' files."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

from evaluation.evaluators.base import EvaluatorSource
from evaluation.evaluators.sentence_tags import Tags, check_tags, choose_tagger
from evaluation.evaluators.t2m_evaluator import T2MEvaluator
from evaluation.evaluators.t2m_networks import T2MSizes
from evaluation.evaluators.t2m_weights import HELP as HELP_WEIGHTS
from evaluation.evaluators.t2m_weights import (
    find_statistics,
    find_weights,
    load_networks,
    load_statistics,
)
from evaluation.evaluators.word_vectors import HELP as HELP_WORDS
from evaluation.evaluators.word_vectors import WordVectors, find_vectors
from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError
from motiongpt.preflight import Outlook


class T2MPublished(EvaluatorSource):
    """Reads the published weights and GloVe vectors; no code in them is run.

    Captions keep the tokens that the data set has for them; other sentences are tagged.

    Args:
        weights: folder with weights and statistics, see `load_networks` and `load_statistics`.
        word_vectors: folder or file, see `WordVectors.open`.
        sizes: of the networks, as `T2MSizes` without `n_features`.
        max_frames: of a clip; 196 for HumanML3D and KIT.
        batch_size: clips at a time under the packing "released".
        tags: how sentences without tokens are tagged; see `choose_tagger`.
    """

    name: ClassVar[str] = "t2m_published"
    kind: ClassVar[type[T2MEvaluator]] = T2MEvaluator

    def __init__(
        self,
        weights: str | None,
        word_vectors: str | None,
        sizes: Mapping[str, int],
        max_frames: int,
        batch_size: int,
        tags: Tags,
    ) -> None:
        self.weights, self.word_vectors, self.sizes = weights, word_vectors, dict(sizes)
        self.max_frames, self.batch_size, self.tags = max_frames, batch_size, tags

    def preflight(self, outlook: Outlook) -> Iterable[str]:
        """The published files, and spaCy where it is asked for."""
        weights, word_vectors = self._named()
        find_weights(weights)
        self._find_statistics()
        find_vectors(word_vectors)
        check_tags(self.tags)
        return ()

    def make(
        self,
        store: MotionStore,
        seed: int,
        log: Callable[[str], None],
        device: str | torch.device = "cpu",
    ) -> T2MEvaluator:
        """Read and check the files; the store gives the width of features and the tags of words.

        Raises:
            UserError: a folder is not named, or something in it is missing, damaged or of other
                shapes than published.
        """
        weights, word_vectors = self._named()
        sizes = T2MSizes(n_features=self._seen(store), **self.sizes)
        networks = load_networks(weights, sizes).to(device)
        mean, std = self._statistics(sizes.n_features)
        captions = [caption for index in range(len(store)) for caption in store.captions(index)]
        tagger = choose_tagger(self.tags, captions)
        tagged = any(caption.tokens for caption in captions)
        log(f"  evaluator: published weights read; sentences are tagged by: {tagger.name}")
        return self.kind(
            networks,
            mean,
            std,
            WordVectors.open(word_vectors),
            self.max_frames,
            self.batch_size,
            tagger=tagger,
            own_tokens=True,
            about={
                "name": self.name,
                "words": "glove",
                "tags": "data" if tagged else tagger.name,
                "sentence_tags": tagger.name,
            },
        )

    def _seen(self, store: MotionStore) -> int:
        """Features of a frame that the networks are built for, the contacts they leave out too."""
        return store.n_features

    def _find_statistics(self) -> Path:
        return find_statistics(self._named()[0])

    def _statistics(self, n_features: int) -> tuple[np.ndarray, np.ndarray]:
        """Mean and std, (F,) float32 each."""
        return load_statistics(self._named()[0], n_features)

    def _named(self) -> tuple[str, str]:
        """Both folders.

        Raises:
            UserError: one is not named; says both ways if both are not.
        """
        options = {
            f"evaluator.weights=FOLDER, the published weights: {HELP_WEIGHTS}": self.weights,
            f"evaluator.word_vectors=FOLDER, GloVe: {HELP_WORDS}": self.word_vectors,
        }
        absent = [said for said, value in options.items() if value is None]
        if self.weights is None or self.word_vectors is None:
            raise UserError(f"set {'; and '.join(absent)}")
        return self.weights, self.word_vectors
