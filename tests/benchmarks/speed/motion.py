"""Motion and the VQ-VAE of the benchmark: sizes as published, content made up."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from motiongpt.codecs.vq_vae.network import VQVAE
from motiongpt.codecs.vq_vae.quantizers.ema_reset import EMAResetQuantizer
from motiongpt.motion.features import joints_to_features
from motiongpt.motion.rotations import turn_about_y
from motiongpt.motion.skeleton import HUMANML3D, Skeleton
from tests.benchmarks.speed.part import Settings


@dataclass(frozen=True)
class MotionSize:
    """A VQ-VAE (its codes are as long as its convolutions are wide), and how much goes through."""

    width: int
    depth: int
    codebook: int
    clips: int = 64
    frames: int = 196
    batch: int = 256
    window: int = 64

    def text(self) -> str:
        """The network in a few words."""
        return f"VQ-VAE, width {self.width}, {self.codebook} codes"


MOTION_SIZES = {
    "tiny": MotionSize(16, 1, 16, clips=3, frames=40, batch=4, window=16),
    "small": MotionSize(256, 3, 512),
    "base": MotionSize(512, 3, 512),
}


def random_vq_vae(settings: Settings) -> VQVAE:
    """Random weights from torch's global random state; the codebook is empty."""
    size = MOTION_SIZES[settings.size]
    return VQVAE(
        n_features=HUMANML3D.n_features,
        quantizer=EMAResetQuantizer,
        frames_per_token=4,
        codebook_size=size.codebook,
        code_dim=size.width,
        width=size.width,
        depth=size.depth,
    )


@torch.no_grad()
def fill_codebook(network: VQVAE, features: Tensor) -> None:
    """Codes that lie among the latents of features (B, T, F), as a trained codebook's do."""
    latents = network.encoder(features.transpose(1, 2)).transpose(1, 2).flatten(0, 1)
    positions = torch.linspace(0, len(latents) - 1, network.codebook_size).long()
    noise = 0.1 * latents.std() * torch.randn(len(positions), latents.shape[1])
    network.quantizer.codebook.copy_(latents[positions] + noise)


def walking_features(clips: int, frames: int, seed: int) -> tuple[np.ndarray, ...]:
    """Features (B, T, F) float32 of bodies that walk on curves, and their mean and std (F,)."""
    joints = moving_clips(clips, frames + 1, HUMANML3D, seed)
    features = joints_to_features(joints, HUMANML3D).numpy()
    rows = features.reshape(-1, features.shape[-1])
    return features, rows.mean(axis=0), rows.std(axis=0) + 0.01


def moving_clips(n_clips: int, n_frames: int, skeleton: Skeleton, seed: int = 0) -> Tensor:
    """Joints (B, T, J, 3) float32: a body that walks on curves, every joint swaying smoothly."""
    random = torch.Generator().manual_seed(seed)
    rest = torch.zeros(skeleton.n_joints, 3)
    for joint, parent in enumerate(skeleton.parents[1:], start=1):
        rest[joint] = rest[parent] + skeleton.offsets()[joint]
    seconds = torch.arange(n_frames)[:, None, None] / skeleton.fps
    shape = (n_clips, 1, skeleton.n_joints, 3)
    pace = 1 + 4 * torch.rand(shape, generator=random)
    phase = 6.28 * torch.rand(shape, generator=random)
    joints = rest + 0.03 * torch.sin(pace * seconds + phase)
    angle = 0.5 * torch.rand(n_clips, 1, 1, generator=random) * seconds[..., 0]
    nought = torch.zeros_like(angle)
    heading = torch.stack(((angle / 2).cos(), nought, (angle / 2).sin(), nought), dim=-1)
    path = torch.stack((angle.sin(), nought, angle.cos() + seconds[..., 0]), dim=-1)
    return turn_about_y(heading, joints) + path
