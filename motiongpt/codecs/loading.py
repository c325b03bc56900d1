"""Interim."""

from pathlib import Path

import numpy as np
import torch

from motiongpt.codecs.trained import TrainedTokenizer


class _Reconstructing:
    def __init__(self, tokenizer: TrainedTokenizer) -> None:
        self.tokenizer = tokenizer
        self.network = tokenizer.tokenizer

    def reconstruct(self, clips: list[np.ndarray]) -> list[np.ndarray]:
        """Interim."""
        rate = self.tokenizer.frames_per_token
        padded = [np.concatenate([c, np.repeat(c[-1:], -len(c) % rate, axis=0)]) for c in clips]
        decoded = self.tokenizer.decode(self.tokenizer.encode(padded))
        return [d[: len(c)] for d, c in zip(decoded, clips, strict=True)]


def load_codec(folder: Path, device: str | torch.device = "cpu") -> _Reconstructing:
    """Interim."""
    return _Reconstructing(TrainedTokenizer.load(folder, device=device))
