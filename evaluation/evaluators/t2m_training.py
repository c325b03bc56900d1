"""An evaluator of our own: T2M's networks trained on whatever data set is at hand.

The recipe of Guo et al. (CVPR 2022): first a movement autoencoder, then text-motion matching with
the movement encoder frozen. What differs is said in conf/evaluator/own.yaml.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from evaluation.evaluators.base import EvaluatorSource
from evaluation.evaluators.learned_words import LearnedWords
from evaluation.evaluators.movement_autoencoder import AutoencoderSettings, train_movement_encoder
from evaluation.evaluators.sentence_tags import NoTags
from evaluation.evaluators.t2m_evaluator import T2MEvaluator
from evaluation.evaluators.t2m_networks import T2MNetworks, T2MSizes
from evaluation.evaluators.text_motion_matching import MatchingSettings, train_matching
from evaluation.evaluators.training_clips import TrainingClips
from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError


class T2MTraining(EvaluatorSource):
    """Trains on the training split, in float32; the weights after the last step are kept.

    The validation split plays no part: the learning rate has fallen to zero by the last step, so
    there is nothing to choose. One seed gives one evaluator on one kind of machine.

    Args:
        sizes: of the networks, as `T2MSizes` without `n_features`.
        max_frames: longer clips are cut to their first `max_frames`.
        rare_words: words seen fewer times are "unk".
        word_dropout: share of words that training replaces by "unk".
        autoencoder: as `AutoencoderSettings`.
        matching: as `MatchingSettings`.
    """

    def __init__(
        self,
        sizes: Mapping[str, int],
        max_frames: int,
        rare_words: int,
        word_dropout: float,
        autoencoder: Mapping[str, Any],
        matching: Mapping[str, Any],
    ) -> None:
        self.sizes, self.max_frames = dict(sizes), max_frames
        self.rare_words, self.word_dropout = rare_words, word_dropout
        self.autoencoder = AutoencoderSettings(**autoencoder)
        self.matching = MatchingSettings(**matching)

    def lacking(self, store: MotionStore) -> str:
        """Training clips that are long enough, and have captions."""
        try:
            TrainingClips(store, self.max_frames, _silent).captioned()
        except UserError as error:
            return str(error)
        return ""

    def make(
        self,
        store: MotionStore,
        seed: int,
        log: Callable[[str], None],
        device: str | torch.device = "cpu",
    ) -> T2MEvaluator:
        """Train one; minutes, from the start after an interruption.

        Raises:
            UserError: too few training clips that are long enough, or with captions.
        """
        clips = TrainingClips(store, self.max_frames, log)
        captioned = clips.captioned()
        torch.manual_seed(seed)
        draw = np.random.default_rng(seed)
        sizes = T2MSizes(n_features=store.n_features, **self.sizes)
        networks = T2MNetworks(sizes).to(device)
        captions = [
            caption.text for index in clips.indices for caption in store.captions(int(index))
        ]
        words = LearnedWords(captions, sizes.word, self.rare_words, self.word_dropout).to(device)
        train_movement_encoder(networks.movement_encoder, sizes, clips, self.autoencoder, draw)
        train_matching(networks, words, captioned, self.matching, draw)
        about = {"name": "own", "words": "learned", "tags": "none", "sentence_tags": "none"}
        return T2MEvaluator(
            networks,
            store.mean,
            store.std,
            words.vectors(),
            self.max_frames,
            tagger=NoTags(),
            about={**about, "vocabulary": len(words.indices)},
        )


def _silent(line: str) -> None:
    """`make` logs what is left out; whoever only looks says nothing."""
