"""Embeds motions and captions in the shared space of the T2M evaluator (Guo et al., CVPR 2022).

Shapes: N clips or captions, T frames, F features, D width of an embedding.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from evaluation.evaluators.t2m_networks import FRAMES_PER_STEP, T2MNetworks, T2MSizes
from evaluation.evaluators.t2m_weights import load_networks, load_statistics
from evaluation.evaluators.word_vectors import WordVectors
from motiongpt.errors import UserError

Packing = Literal["packed", "released"]
"""packed: as T2M evaluates; released: as MotionGPT's released code does."""
MAX_FRAMES = 196
"""Of HumanML3D and KIT clips, and what T2M pads every one to."""
MAX_WORDS = 20
"""Of a caption in T2M's evaluation; what follows is cut off."""
BATCH_SIZE = 32
"""Of T2M's and MotionGPT's evaluation; decides results under the released packing only."""
START, END = "sos/OTHER", "eos/OTHER"


class T2MEvaluator:
    """The three networks with their normalisation and words.

    Args:
        networks: trained; put into evaluation mode, they stay on their device.
        mean, std: (F,) of the normalisation that they were trained with.
        words: vectors of the width that the text encoder takes.
        max_frames: longest clip, and what clips are padded to under the packing "packed".
        batch_size: clips at a time.

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

    @classmethod
    def load(
        cls,
        folder: Path | str,
        words: Path | str,
        n_features: int,
        max_frames: int = MAX_FRAMES,
        batch_size: int = BATCH_SIZE,
        device: str | torch.device = "cpu",
    ) -> "T2MEvaluator":
        """The published evaluator, as its authors distribute it.

        Args:
            folder: with weights and statistics, see `load_networks` and `load_statistics`.
            words: folder or file of word vectors, see `WordVectors.open`.
            n_features: F of the data set: 263 (HumanML3D) or 251 (KIT).

        Raises:
            UserError: something is missing, damaged or of other shapes than published.
        """
        networks = load_networks(folder, T2MSizes(n_features=n_features))
        mean, std = load_statistics(folder, n_features)
        vectors = WordVectors.open(words)
        return cls(networks.to(device), mean, std, vectors, max_frames, batch_size)

    @property
    def width(self) -> int:
        """D."""
        return self.networks.sizes.embedding

    @torch.no_grad()
    def motion_embeddings(
        self, features: Sequence[np.ndarray], packing: Packing = "packed"
    ) -> np.ndarray:
        """Embeddings (N, D) float32, in the order given, of clips (T, F), not normalised.

        Under "packed" every clip is padded to `max_frames` and only its own T // 4 movement steps
        count: the last steps see the padding, which hence must not depend on the batch, and the
        embedding depends on the clip alone. T2M's data set cuts T to a multiple of 4; where the
        caller doesn't, the last step sees up to three frames more. Under "released" batches are
        taken in the order given and padded to their longest clip, and all steps count: an
        embedding depends on the other clips of its batch (the deviation of MotionGPT's code from
        the evaluation that it cites).

        Raises:
            UserError: names the clip that is too short or long, not finite or of another width.
        """
        if packing not in get_args(Packing):
            raise UserError(f"packing {packing!r}: expected {' or '.join(get_args(Packing))}")
        clips = [self._normalised(index, clip) for index, clip in enumerate(features)]
        if packing == "released":
            places: list[int] = list(range(len(clips)))
        else:
            places = sorted(range(len(clips)), key=lambda place: len(clips[place]))
        found = np.zeros((len(clips), self.width), np.float32)
        for batch in self._portions(places):
            padded = pad_sequence([clips[place] for place in batch], batch_first=True)
            lengths = None
            if packing == "packed":
                missing = self.max_frames - padded.shape[1]
                padded = torch.nn.functional.pad(padded, (0, 0, 0, missing))
                lengths = torch.tensor([len(clips[place]) for place in batch])
            found[batch] = self.networks.embed_motion(padded.to(self._device), lengths).cpu()
        return found

    @torch.no_grad()
    def text_embeddings(
        self, captions: Sequence[Sequence[str]], max_words: int = MAX_WORDS
    ) -> np.ndarray:
        """Embeddings (N, D) float32, in the order given, of captions of `word/TAG` tokens.

        Args:
            max_words: the rest of a caption is cut off; 20 in T2M's evaluation, 40 for the
                captions that MotionGPT's released code predicts.

        Raises:
            UserError: names a token without a tag.
        """
        embedded = [
            [torch.from_numpy(part) for part in self.words.embed([START, *row[:max_words], END])]
            for row in map(list, captions)
        ]
        places = sorted(range(len(embedded)), key=lambda place: len(embedded[place][0]))
        found = np.zeros((len(embedded), self.width), np.float32)
        for batch in self._portions(places):
            words, categories = (
                pad_sequence([embedded[place][part] for place in batch], batch_first=True)
                for part in range(2)
            )
            lengths = torch.tensor([len(embedded[place][0]) for place in batch])
            found[batch] = self.networks.embed_text(
                words.to(self._device), categories.to(self._device), lengths
            ).cpu()
        return found

    @property
    def _device(self) -> torch.device:
        return next(self.networks.parameters()).device

    def _portions(self, places: list[int]) -> Iterator[list[int]]:
        for first in range(0, len(places), self.batch_size):
            yield places[first : first + self.batch_size]

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
