"""Embeds motions and captions in the space of TMR (Petrovich et al., ICCV 2023).

Shapes: N clips or captions, T frames, F features, D width of an embedding.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
from torch import Tensor

from evaluation.evaluators.base import MAX_WORDS, Evaluator, Packing
from evaluation.evaluators.tmr_captions import CaptionReader, first_words
from evaluation.evaluators.tmr_files import TMRParts, fingerprint_of, read_parts, write_parts
from evaluation.evaluators.tmr_networks import TMRNetworks, pad_clips
from motiongpt.data.clip import Caption
from motiongpt.errors import UserError
from motiongpt.text_encoders.base import TextEncoder

TOGETHER = 128
"""Clips or captions at a time where that doesn't change the result."""
RELEASED_BATCH = 32
"""Clips at a time under the packing "released", where it does: as of T2M's evaluator."""


class TMREvaluator(Evaluator):
    """The two encoders with their normalisation and text encoder.

    An embedding is the mean of the latent's distribution, nothing is drawn, at length 1: TMR
    compares by cosines, and among vectors of length 1 the nearest by distance is the nearest by
    angle, so that R-precision, FID and all others see what was trained.

    Args:
        networks: trained; put into evaluation mode, they stay on their device.
        mean, std: (F,) of the normalisation that they were trained with.
        text_encoder: of the width that the networks read.
        about: what `description` says besides sizes and length: "name", "words" ...

    Raises:
        UserError: statistics or text encoder don't fit the networks.
    """

    def __init__(
        self,
        networks: TMRNetworks,
        mean: np.ndarray,
        std: np.ndarray,
        text_encoder: TextEncoder,
        about: dict[str, Any] | None = None,
    ) -> None:
        sizes = networks.sizes
        for name, values in (("mean", mean), ("std", std)):
            if values.shape != (sizes.n_features,):
                raise UserError(
                    f"TMR evaluator: {name} of shape {values.shape}; expected "
                    f"({sizes.n_features},), one number a feature"
                )
        if text_encoder.width != sizes.text_width:
            raise UserError(
                f"TMR evaluator: a text encoder of width {text_encoder.width}; its own text "
                f"encoder reads {sizes.text_width}: evaluator.text_encoder must be the one that it "
                "was trained with"
            )
        self.networks, self.captions = networks.eval(), CaptionReader(text_encoder)
        self.mean, self.std = np.asarray(mean, np.float32), np.asarray(std, np.float32)
        self.about = dict(about or {})
        parts = self._parts
        self.fingerprint, self.description = fingerprint_of(parts), parts.description

    @property
    def width(self) -> int:
        """D, with a coordinate for the disorder of motion where there is one."""
        return self.networks.sizes.width + int(self.networks.sizes.order)

    @torch.inference_mode()
    def motion_embeddings(
        self, features: Sequence[np.ndarray], packing: Packing = "packed"
    ) -> np.ndarray:
        """Embeddings (N, D) float32 of length 1, in the order given, of clips (T, F).

        Under "packed" a clip's own frames count, so that the embedding depends on the clip alone.
        Under "released" batches are taken in the order given, and the padding to their longest
        clip counts as frames: what MotionGPT's code does to T2M's evaluator, done to this one.

        Raises:
            UserError: names the clip that is empty or too long, not finite or of another width.
        """
        if packing not in get_args(Packing):
            raise UserError(f"packing {packing!r}: expected {' or '.join(get_args(Packing))}")
        clips = [self._normalised(index, clip) for index, clip in enumerate(features)]
        packed = packing == "packed"
        order, size = list(range(len(clips))), RELEASED_BATCH
        if packed:
            order, size = sorted(order, key=lambda index: len(clips[index])), TOGETHER
        found = np.zeros((len(clips), self.width), np.float32)
        for batch in _portions(order, size):
            padded, lengths = pad_clips([clips[index] for index in batch])
            found[batch] = self.networks.embed_motion(
                padded.to(self._device), lengths.to(self._device) if packed else None
            ).cpu()
        return found

    @torch.inference_mode()
    def text_embeddings(
        self, captions: Sequence[Caption | str], max_words: int = MAX_WORDS
    ) -> np.ndarray:
        """Embeddings (N, D) float32 of length 1, in the order given, of sentences."""
        texts = [
            first_words(one if isinstance(one, str) else one.text, max_words) for one in captions
        ]
        found = np.zeros((len(texts), self.width), np.float32)
        for batch in _portions(sorted(range(len(texts)), key=lambda i: len(texts[i])), TOGETHER):
            read = self.captions.read([texts[index] for index in batch])
            found[batch] = self.networks.embed_text(
                read.tokens.to(self._device), read.lengths.to(self._device)
            ).cpu()
        return found

    def save(self, folder: Path) -> None:
        """Write weights, statistics, text encoder and the description into `folder`."""
        write_parts(self._parts, Path(folder), type(self).__name__)

    @classmethod
    def load(cls, folder: Path, device: str | torch.device = "cpu") -> "TMREvaluator":
        """Read what `save` wrote.

        Raises:
            UserError: a file is missing or damaged.
        """
        saved = read_parts(Path(folder))
        saved.networks.to(device)
        saved.text_encoder.to(device)
        return cls(**vars(saved))

    @property
    def _parts(self) -> TMRParts:
        return TMRParts(self.networks, self.mean, self.std, self.captions.encoder, self.about)

    @property
    def _device(self) -> torch.device:
        return next(self.networks.parameters()).device

    def _normalised(self, index: int, clip: np.ndarray) -> Tensor:
        longest = self.networks.sizes.max_frames
        if clip.ndim != 2 or clip.shape[1] != len(self.mean):
            raise UserError(
                f"clip {index}: shape {clip.shape}; expected (frames, {len(self.mean)})"
            )
        if not 1 <= len(clip) <= longest:
            raise UserError(
                f"clip {index}: {len(clip)} frames; the TMR evaluator takes 1 to {longest}: cut "
                "longer clips, leave out empty ones"
            )
        if not np.isfinite(clip).all():
            frame = int((~np.isfinite(clip)).any(1).argmax())
            raise UserError(f"clip {index}: frame {frame} holds NaN or infinity")
        return torch.from_numpy((np.asarray(clip, np.float32) - self.mean) / self.std)


def _portions(indices: list[int], size: int) -> Iterator[list[int]]:
    for first in range(0, len(indices), size):
        yield indices[first : first + size]
