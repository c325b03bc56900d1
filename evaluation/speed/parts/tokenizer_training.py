"""Training steps of the VQ-VAE."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from evaluation.speed.motion import MOTION_SIZES, forward_flop, random_vq_vae, walking_features
from evaluation.speed.original_vq_vae import COMMITMENT, VELOCITY, OriginalVQVAE
from evaluation.speed.original_way import BETAS, LEARNING_RATE, optimizer_of
from evaluation.speed.our_way import precision
from evaluation.speed.part import (
    ORIGINAL,
    Check,
    Findings,
    Goal,
    Needs,
    Part,
    Repeats,
    Settings,
    Side,
    Work,
)
from motiongpt.allocation import keep_freed_memory
from motiongpt.codecs.vq_vae.losses import TokenizerLosses
from motiongpt.motion.skeleton import HUMANML3D

# After some steps rounding has changed which code is nearest here and there; bfloat16 more.
TOLERANCES = {"float32": 0.02, "bfloat16": 0.05}  # of the last step's error, relative
NUMBERS_A_WEIGHT = 10  # as in training_step
FORWARD_AND_BACKWARD = 3


class TokenizerTraining(Part):
    """256 windows of 64 frames a step."""

    title = "VQ-VAE training step"
    unit = "windows"
    repeats: ClassVar[Mapping[str, Repeats]] = {
        "tiny": Repeats(1, 2),
        "small": Repeats(1, 5),
        "base": Repeats(2, 8),
    }

    def workload(self) -> str:
        """Sizes of network and batch."""
        size = MOTION_SIZES[self.settings.size]
        return (
            f"VQ-VAE, width {size.width}, {size.codebook} codes; {size.batch} windows of "
            f"{size.window} frames a step, the same for each side"
        )

    def sides(self) -> Sequence[Side]:
        """The original's way, and ours in both precisions."""
        return (
            Side(ORIGINAL, "float32", "plain convolutions, AdamW"),
            Side("ours float32", "float32", "the tokenizer stage's step, fused AdamW"),
            Side(
                "ours bfloat16",
                "bfloat16",
                "the same under bfloat16 autocast",
                {"cpu": Goal(ratio=2.0)},
            ),
        )

    def work(self, side: str, folder: Path) -> Work:
        """Network, optimizer and batches of one side."""
        dtype = next(one.dtype for one in self.sides() if one.name == side)
        return _Original(self.settings) if side == ORIGINAL else _Ours(self.settings, dtype)

    def needs(self) -> Needs:
        """Forwards once, backwards twice as much; weights, gradients and AdamW's numbers."""
        size = MOTION_SIZES[self.settings.size]
        with torch.device("meta"):
            weights = sum(one.numel() for one in random_vq_vae(self.settings).parameters())
        forward = size.batch * forward_flop(self.settings, size.window)
        return Needs(size.batch, FORWARD_AND_BACKWARD * forward, NUMBERS_A_WEIGHT * weights)

    def checks(self, found: Mapping[str, Findings]) -> list[Check]:
        """After as many steps on the same windows the reconstruction error is the same."""
        checks = []
        for side in self.sides():
            if side.name in found and side.name != ORIGINAL and ORIGINAL in found:
                errors = [found[name]["errors"] for name in (ORIGINAL, side.name)]
                difference = abs(errors[1][-1] / errors[0][-1] - 1)
                text = (
                    f"reconstruction error of step {len(errors[0])}: {errors[0][-1]:.5f}, "
                    f"{side.name} {errors[1][-1]:.5f} (step 1: {errors[0][0]:.5f}, "
                    f"{errors[1][0]:.5f})"
                )
                checks.append(Check(text, bool(difference <= TOLERANCES[side.dtype])))
        return checks

    def measures(self, found: Findings) -> dict[str, float]:
        """Reconstruction error at the last step."""
        return {"reconstruction error": float(found["errors"][-1])}


def _windows(settings: Settings) -> Iterator[Tensor]:
    """Batches (B, T, F) without an end, normalised; the same for every side."""
    size = MOTION_SIZES[settings.size]
    features, mean, std = walking_features(size.batch, size.frames, settings.seed)
    clips = torch.from_numpy((features - mean) / std).to(settings.device)
    draw = np.random.default_rng(settings.seed)
    rows, places = torch.arange(size.batch)[:, None], torch.arange(size.window)
    while True:
        starts = torch.from_numpy(draw.integers(0, size.frames - size.window + 1, size.batch))
        yield clips[rows, starts[:, None] + places]


class _Original:
    def __init__(self, settings: Settings) -> None:
        self.network = OriginalVQVAE.like(random_vq_vae(settings)).to(settings.device).train()
        self.optimizer = optimizer_of(self.network)
        self.windows = _windows(settings)
        self.errors: list[Tensor] = []

    def run(self) -> None:
        loss, error = self.network.loss(next(self.windows))
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.errors.append(error.detach())

    def findings(self) -> Findings:
        return {"errors": torch.stack(self.errors).cpu().numpy()}


class _Ours:
    def __init__(self, settings: Settings, dtype: str) -> None:
        keep_freed_memory()  # as every training does
        self.network = random_vq_vae(settings).to(settings.device).train()
        self.losses = TokenizerLosses(HUMANML3D, velocity=VELOCITY, commitment=COMMITMENT)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=LEARNING_RATE, betas=BETAS, weight_decay=0.0, fused=True
        )
        self.device, self.dtype = settings.device, dtype
        self.windows = _windows(settings)
        self.errors: list[Tensor] = []

    def run(self) -> None:
        features = next(self.windows)
        with precision(self.device, self.dtype):
            # Windows that are full have no lengths: the stage's own batches say so too.
            parts = self.losses(self.network(features), features)
        self.optimizer.zero_grad()
        parts["total"].backward()
        self.optimizer.step()
        self.errors.append(parts["reconstruction"].detach())

    def findings(self) -> Findings:
        return {"errors": torch.stack(self.errors).float().cpu().numpy()}
