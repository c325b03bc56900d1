"""Training steps of the VQ-VAE."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from motiongpt.allocation import keep_freed_memory
from motiongpt.codecs.vq_vae.losses import TokenizerLosses
from motiongpt.motion.skeleton import HUMANML3D
from tests.benchmarks.speed.motion import MOTION_SIZES, random_vq_vae, walking_features
from tests.benchmarks.speed.original_vq_vae import COMMITMENT, VELOCITY, OriginalVQVAE
from tests.benchmarks.speed.part import ORIGINAL, Check, Findings, Part, Settings, Side
from tests.benchmarks.speed.training import adam_w, autocast

# After some steps rounding has changed which code is nearest here and there; bfloat16 more.
TOLERANCES = {"float32": 0.02, "bfloat16": 0.05}  # of the last step's error, relative


class TokenizerTraining(Part):
    """256 windows of 64 frames a step."""

    title = "VQ-VAE training step"
    unit = "windows"
    sides = (
        Side(ORIGINAL, "plain convolutions, AdamW"),
        Side("ours float32", "the tokenizer stage's step, fused AdamW"),
        Side("ours bfloat16", "the same under bfloat16 autocast", "bfloat16"),
    )
    warm_up = 2
    repeats = 8

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.size = MOTION_SIZES[settings.size]

    def workload(self) -> str:
        """Sizes of network and batch."""
        return (
            f"{self.size.text()}; {self.size.batch} windows of {self.size.window} frames a step, "
            "the same for each side"
        )

    def units(self) -> int:
        """Windows in a batch."""
        return self.size.batch

    def work(self, side: str, folder: Path) -> Callable[[], Any]:
        """Network, optimizer and batches of one side; gives the errors of all steps so far."""
        network, loss = self._side(side)
        optimizer = adam_w(network.parameters(), fused=side != ORIGINAL)
        windows, errors = self._windows(), []

        def step() -> list[Tensor]:
            total, error = loss(next(windows))
            optimizer.zero_grad()
            total.backward()
            optimizer.step()
            errors.append(error.detach())
            return errors

        return step

    def findings(self, output: Any) -> Findings:
        """Reconstruction error of each step."""
        return {"errors": torch.stack(output).float().cpu().numpy()}

    def compare(self, original: Findings, own: Findings, dtype: str) -> Check:
        """After as many steps on the same windows the reconstruction error is the same."""
        (first, *_, last), (own_first, *_, own_last) = original["errors"], own["errors"]
        return Check(
            bool(abs(own_last / last - 1) <= TOLERANCES[dtype]),
            f"reconstruction error of step {len(own['errors'])} {own_last:.5f}, original "
            f"{last:.5f} (step 1: {own_first:.5f}, {first:.5f})",
        )

    def _side(self, side: str) -> tuple[torch.nn.Module, Callable[[Tensor], tuple[Tensor, Tensor]]]:
        """A network, and what gives its loss and its reconstruction error on features."""
        device, dtype = self.settings.device, self.side(side).dtype
        network = random_vq_vae(self.settings)
        if side == ORIGINAL:
            original = OriginalVQVAE.like(network).to(device).train()
            return original, original.loss
        keep_freed_memory()  # as every training does
        network = network.to(device).train()
        losses = TokenizerLosses(HUMANML3D, velocity=VELOCITY, commitment=COMMITMENT)

        def loss(features: Tensor) -> tuple[Tensor, Tensor]:
            with autocast(device, dtype):
                # Windows that are full have no lengths: the stage's own batches say so too.
                parts = losses(network(features), features)
            return parts["total"], parts["reconstruction"]

        return network, loss

    def _windows(self) -> Iterator[Tensor]:
        """Batches (B, T, F) without an end, normalised; the same for every side."""
        size = self.size
        features, mean, std = walking_features(size.batch, size.frames, self.settings.seed)
        clips = torch.from_numpy((features - mean) / std).to(self.settings.device)
        rng = np.random.default_rng(self.settings.seed)
        rows, frames = torch.arange(size.batch)[:, None], torch.arange(size.window)
        while True:
            starts = torch.from_numpy(rng.integers(0, size.frames - size.window + 1, size.batch))
            yield clips[rows, starts[:, None] + frames]


PART = TokenizerTraining
