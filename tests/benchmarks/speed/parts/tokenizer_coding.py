"""Encoding and decoding clips with the VQ-VAE."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from motiongpt.allocation import keep_freed_memory
from motiongpt.codecs.trained import TrainedTokenizer
from tests.benchmarks.speed.motion import (
    MOTION_SIZES,
    fill_codebook,
    random_vq_vae,
    walking_features,
)
from tests.benchmarks.speed.original_vq_vae import OriginalVQVAE
from tests.benchmarks.speed.part import ORIGINAL, Check, Findings, Part, Settings, Side

TOLERANCE = 1e-4  # of decoded features, in standard deviations


class TokenizerCoding(Part):
    """64 clips of 196 frames, to codes and back: one by one, or together."""

    title = "VQ-VAE, encode and decode"
    unit = "clips"
    sides = (
        Side(ORIGINAL, "one clip at a time"),
        Side("ours", "TrainedTokenizer on all clips"),
    )

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.size = MOTION_SIZES[settings.size]

    def workload(self) -> str:
        """Sizes of network and clips."""
        return (
            f"{self.size.text()}, 4 frames a token; {self.size.clips} clips of "
            f"{self.size.frames} frames, to codes and back"
        )

    def units(self) -> int:
        """Clips."""
        return self.size.clips

    def work(self, side: str, folder: Path) -> Callable[[], Any]:
        """Network and clips of one side; both begin and end with features in their own units."""
        features, self.mean, self.std = walking_features(
            self.size.clips, self.size.frames, self.settings.seed
        )
        network = random_vq_vae(self.settings).eval()
        fill_codebook(network, torch.from_numpy((features - self.mean) / self.std)[:16])
        clips, device = list(features), self.settings.device
        if side == ORIGINAL:
            original = OriginalVQVAE.like(network).to(device).eval()
            return lambda: self._one_by_one(original, clips)
        keep_freed_memory()  # as MotionGPT.from_pretrained does
        tokenizer = TrainedTokenizer(network.to(device), self.mean, self.std)

        def together() -> tuple[list[np.ndarray], list[np.ndarray]]:
            codes = tokenizer.encode(clips)
            return codes, tokenizer.decode(codes)

        return together

    @torch.no_grad()
    def _one_by_one(
        self, network: OriginalVQVAE, clips: list[np.ndarray]
    ) -> tuple[list[np.ndarray], list[np.ndarray]]:
        def on_device(array: np.ndarray) -> Tensor:
            return torch.from_numpy(array).to(self.settings.device)

        codes = [
            network.encode(on_device((clip - self.mean) / self.std)[None])[0].cpu().numpy()
            for clip in clips
        ]
        decoded = [
            network.decode(on_device(row))[0].cpu().numpy() * self.std + self.mean for row in codes
        ]
        return codes, decoded

    def findings(self, output: Any) -> Findings:
        """Codes (B, L), and features (B, T, F) in standard deviations."""
        codes, decoded = output
        return {"codes": np.stack(codes), "decoded": (np.stack(decoded) - self.mean) / self.std}

    def compare(self, original: Findings, own: Findings, dtype: str) -> Check:
        """The codes bit for bit, the features they decode to up to rounding."""
        differ = int((original["codes"] != own["codes"]).sum())
        distance = float(np.abs(original["decoded"] - own["decoded"]).max())
        return Check(
            differ == 0 and distance <= TOLERANCE,
            f"{differ} of {original['codes'].size:,} codes differ "
            f"({len(np.unique(original['codes']))} distinct ones), decoded features differ by "
            f"{distance:.1e} standard deviations at most",
        )


PART = TokenizerCoding
