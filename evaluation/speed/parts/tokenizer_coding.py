"""Encoding and decoding clips with the VQ-VAE."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from evaluation.speed.motion import (
    MOTION_SIZES,
    fill_codebook,
    forward_flop,
    random_vq_vae,
    walking_features,
)
from evaluation.speed.original_vq_vae import OriginalVQVAE
from evaluation.speed.part import ORIGINAL, Check, Findings, Goal, Needs, Part, Settings, Side, Work
from motiongpt.allocation import keep_freed_memory
from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.codecs.vq_vae.network import VQVAE

TOLERANCE = 1e-4  # of decoded features, in standard deviations


class TokenizerCoding(Part):
    """64 clips of 196 frames, to codes and back: one by one, or together."""

    title = "VQ-VAE, encode and decode"
    unit = "clips"

    def workload(self) -> str:
        """Sizes of network and clips."""
        size = MOTION_SIZES[self.settings.size]
        return (
            f"VQ-VAE, width {size.width}, {size.codebook} codes, 4 frames a token; "
            f"{size.clips} clips of {size.frames} frames, to codes and back"
        )

    def sides(self) -> Sequence[Side]:
        """One by one, and together."""
        return (
            Side(ORIGINAL, "float32", "one clip at a time"),
            Side(
                "ours",
                "float32",
                "TrainedTokenizer on all clips",
                {"cpu": Goal(ratio=1.5), "cuda": Goal(ratio=10.0)},
            ),
        )

    def work(self, side: str, folder: Path) -> Work:
        """Network and clips of one side; both begin and end with features in their own units."""
        size = MOTION_SIZES[self.settings.size]
        features, mean, std = walking_features(size.clips, size.frames, self.settings.seed)
        network = random_vq_vae(self.settings).eval()
        fill_codebook(network, torch.from_numpy((features - mean) / std)[:16])
        clips = list(features)
        if side == ORIGINAL:
            return _Original(self.settings, network, clips, mean, std)
        return _Ours(self.settings, network, clips, mean, std)

    def needs(self) -> Needs:
        """Every clip through encoder and decoder, the weights read once."""
        size = MOTION_SIZES[self.settings.size]
        with torch.device("meta"):
            weights = sum(one.numel() for one in random_vq_vae(self.settings).parameters())
        flop = size.clips * forward_flop(self.settings, size.frames)
        return Needs(units=size.clips, flop=flop, numbers=weights)

    def checks(self, found: Mapping[str, Findings]) -> list[Check]:
        """The codes bit for bit, the features they decode to up to rounding."""
        original, ours = found[ORIGINAL], found["ours"]
        differ = int((original["codes"] != ours["codes"]).sum())
        distance = float(np.abs(original["decoded"] - ours["decoded"]).max())
        distinct = len(np.unique(original["codes"]))
        return [
            Check(
                f"{differ} of {original['codes'].size:,} codes differ ({distinct} distinct ones)",
                differ == 0,
            ),
            Check(
                f"decoded features differ by {distance:.1e} standard deviations at most",
                distance <= TOLERANCE,
            ),
        ]


class _Coding:
    def __init__(
        self,
        settings: Settings,
        network: VQVAE,
        clips: list[np.ndarray],
        mean: np.ndarray,
        std: np.ndarray,
    ) -> None:
        self.device = settings.device
        self.clips, self.mean, self.std = clips, mean, std
        self.codes: list[np.ndarray] = []
        self.decoded: list[np.ndarray] = []
        self._prepare(network)

    def _prepare(self, network: VQVAE) -> None:
        raise NotImplementedError

    def findings(self) -> Findings:
        decoded = (np.stack(self.decoded) - self.mean) / self.std
        return {"codes": np.stack(self.codes), "decoded": decoded}


class _Original(_Coding):
    def _prepare(self, network: VQVAE) -> None:
        self.network = OriginalVQVAE.like(network).to(self.device).eval()

    @torch.no_grad()
    def run(self) -> None:
        self.codes, self.decoded = [], []
        for clip in self.clips:
            features = torch.from_numpy((clip - self.mean) / self.std)[None].to(self.device)
            self.codes.append(self.network.encode(features)[0].cpu().numpy())
        for codes in self.codes:
            found = self.network.decode(torch.from_numpy(codes).to(self.device))[0].cpu().numpy()
            self.decoded.append(found * self.std + self.mean)


class _Ours(_Coding):
    def _prepare(self, network: VQVAE) -> None:
        keep_freed_memory()  # as MotionGPT.from_pretrained does
        self.tokenizer = TrainedTokenizer(network.to(self.device), self.mean, self.std)

    def run(self) -> None:
        self.codes = self.tokenizer.encode(self.clips)
        self.decoded = self.tokenizer.decode(self.codes)
