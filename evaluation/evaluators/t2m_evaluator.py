"""Embeds motions and captions in the shared space of the T2M evaluator (Guo et al., CVPR 2022).

Shapes: N clips or captions, T frames, F features, D width of an embedding.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from evaluation.evaluators.base import MAX_WORDS, Evaluator, Packing
from evaluation.evaluators.sentence_tags import NoTags, Tagger
from evaluation.evaluators.t2m_files import (
    T2MParts,
    fingerprint_of,
    read_evaluator,
    write_evaluator,
)
from evaluation.evaluators.t2m_networks import FRAMES_PER_STEP, T2MNetworks
from evaluation.evaluators.word_vectors import END, START, WordVectors
from motiongpt.data.clip import Caption
from motiongpt.errors import UserError
from motiongpt.full_float32 import full_float32

MAX_FRAMES = 196
"""Of HumanML3D and KIT clips, and what T2M pads every one to."""
BATCH_SIZE = 32
"""Of T2M's and MotionGPT's evaluation; decides results under the released packing only."""
TOGETHER = 128
"""Clips or captions at a time where that doesn't change the result."""


class T2MEvaluator(Evaluator):
    """The three networks with their normalisation and words.

    Args:
        networks: trained; put into evaluation mode, they stay on their device.
        mean, std: (F,) of the normalisation that they were trained with.
        words: vectors of the width that the text encoder takes.
        max_frames: longest clip, and what T2M pads clips to.
        batch_size: clips at a time under the packing "released".
        tagger: makes tokens of sentences.
        own_tokens: take the tokens that a data set's captions have, where they have some.
        about: what `description` says besides sizes and length: "name", "words", "tags" ...

    Raises:
        UserError: statistics or word vectors don't fit the networks.
    """

    def __init__(
        self,
        networks: T2MNetworks,
        mean: np.ndarray,
        std: np.ndarray,
        words: WordVectors,
        max_frames: int = MAX_FRAMES,
        batch_size: int = BATCH_SIZE,
        tagger: Tagger | None = None,
        own_tokens: bool = False,
        about: dict[str, Any] | None = None,
    ) -> None:
        sizes = networks.sizes
        for name, values in (("mean", mean), ("std", std)):
            if values.shape != (sizes.n_features,):
                raise UserError(
                    f"T2M evaluator: {name} of shape {values.shape}; expected "
                    f"({sizes.n_features},), one number a feature"
                )
        if words.width != sizes.word:
            raise UserError(
                f"T2M evaluator: word vectors of {words.width} numbers; the text encoder expects "
                f"{sizes.word}"
            )
        self.networks, self.words = networks.eval(), words
        self.mean, self.std = np.asarray(mean, np.float32), np.asarray(std, np.float32)
        self.max_frames, self.batch_size = max_frames, batch_size
        self.tagger, self.own_tokens = tagger or NoTags(), own_tokens
        self.about = about or {}
        self.description = self._parts.description
        self.fingerprint = fingerprint_of(self._parts)

    @property
    def width(self) -> int:
        """D."""
        return self.networks.sizes.embedding

    @full_float32()
    @torch.no_grad()
    def motion_embeddings(
        self, features: Sequence[np.ndarray], packing: Packing = "packed"
    ) -> np.ndarray:
        """Embeddings (N, D) float32, in the order given, of clips (T, F), not normalised.

        Under "packed" only a clip's own T // 4 movement steps count, and every clip is followed by
        zeros as if padded to `max_frames`, so that the embedding depends on the clip alone. T2M's
        data set cuts T to a multiple of 4; where the caller doesn't, the last step sees up to
        three frames more. Under "released" batches are taken in the order given and padded to
        their longest clip, and all steps count: an embedding depends on the other clips of its
        batch (the deviation of MotionGPT's code from the evaluation that it cites).

        Raises:
            UserError: names the clip that is too short or long, not finite or of another width.
        """
        if packing not in get_args(Packing):
            raise UserError(f"packing {packing!r}: expected {' or '.join(get_args(Packing))}")
        clips = [self._normalised(index, clip) for index, clip in enumerate(features)]
        found = np.zeros((len(clips), self.width), np.float32)
        if packing == "released":
            for batch in _portions(list(range(len(clips))), self.batch_size):
                padded = pad_sequence([clips[index] for index in batch], batch_first=True)
                found[batch] = self.networks.embed_motion(padded.to(self._device), None).cpu()
            return found
        for batch in _portions(_by_length(clips), TOGETHER):
            padded, lengths = T2MNetworks.pad_motion(
                [clips[index] for index in batch], self.max_frames
            )
            found[batch] = self.networks.embed_motion(padded.to(self._device), lengths).cpu()
        return found

    def text_embeddings(
        self, captions: Sequence[Caption | str], max_words: int = MAX_WORDS
    ) -> np.ndarray:
        """Embeddings (N, D) float32, in the order given, of sentences.

        Args:
            max_words: the rest of a sentence is cut off; 20 in T2M's evaluation, 40 for the
                captions that MotionGPT's released code predicts.
        """
        return self.token_embeddings([self._tokens(caption) for caption in captions], max_words)

    @full_float32()
    @torch.no_grad()
    def token_embeddings(
        self, captions: Sequence[Sequence[str]], max_words: int = MAX_WORDS
    ) -> np.ndarray:
        """Embeddings (N, D) float32, in the order given, of captions of `word/TAG` tokens.

        Raises:
            UserError: names a token without a tag.
        """
        embedded = [
            [torch.from_numpy(part) for part in self.words.embed([START, *row[:max_words], END])]
            for row in map(list, captions)
        ]
        found = np.zeros((len(embedded), self.width), np.float32)
        for batch in _portions(_by_length([words for words, _ in embedded]), TOGETHER):
            words, categories = (
                pad_sequence([embedded[index][part] for index in batch], batch_first=True)
                for part in range(2)
            )
            lengths = torch.tensor([len(embedded[index][0]) for index in batch])
            found[batch] = self.networks.embed_text(
                words.to(self._device), categories.to(self._device), lengths
            ).cpu()
        return found

    def save(self, folder: Path) -> None:
        """Write weights, statistics, words, tags and the description into `folder`."""
        write_evaluator(self._parts, Path(folder), type(self).__name__)

    @classmethod
    def load(cls, folder: Path, device: str | torch.device = "cpu") -> "T2MEvaluator":
        """Read what `save` wrote.

        Raises:
            UserError: a file is missing or damaged, or spaCy is needed and absent.
        """
        saved = read_evaluator(Path(folder))
        saved.networks.to(device)
        return cls(**vars(saved))

    @property
    def _parts(self) -> T2MParts:
        return T2MParts(
            networks=self.networks,
            mean=self.mean,
            std=self.std,
            words=self.words,
            max_frames=self.max_frames,
            batch_size=self.batch_size,
            tagger=self.tagger,
            own_tokens=self.own_tokens,
            about=self.about,
        )

    @property
    def _device(self) -> torch.device:
        return next(self.networks.parameters()).device

    def _tokens(self, caption: Caption | str) -> list[str]:
        if isinstance(caption, str):
            return self.tagger.tokens(caption)
        if self.own_tokens and caption.tokens:
            return caption.tokens.split()
        return self.tagger.tokens(caption.text)

    def _normalised(self, index: int, clip: np.ndarray) -> Tensor:
        if clip.ndim != 2 or clip.shape[1] != len(self.mean):
            raise UserError(
                f"clip {index}: shape {clip.shape}; expected (frames, {len(self.mean)})"
            )
        if not FRAMES_PER_STEP <= len(clip) <= self.max_frames:
            raise UserError(
                f"clip {index}: {len(clip)} frames; the T2M evaluator takes {FRAMES_PER_STEP} to "
                f"{self.max_frames}: cut longer clips, leave out shorter ones"
            )
        if not np.isfinite(clip).all():
            frame = int((~np.isfinite(clip)).any(1).argmax())
            raise UserError(f"clip {index}: frame {frame} holds NaN or infinity")
        return torch.from_numpy((np.asarray(clip, np.float32) - self.mean) / self.std)


def _by_length(items: Sequence[Tensor]) -> list[int]:
    return sorted(range(len(items)), key=lambda index: len(items[index]))


def _portions(indices: list[int], size: int) -> Iterator[list[int]]:
    for first in range(0, len(indices), size):
        yield indices[first : first + size]
