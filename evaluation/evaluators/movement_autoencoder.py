"""First part of the evaluator's training: movement steps that motion can be rebuilt from.

Source: Guo et al. (CVPR 2022, "T2M"), section 3.1 and its released training code.
Shapes: B windows, T frames, F features, S movement steps (T // 4), D width of a step.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from evaluation.evaluators.t2m_networks import SLOPE, MovementEncoder, T2MSizes, initialise
from evaluation.evaluators.training_clips import TrainingClips
from evaluation.evaluators.training_steps import Steps, train_steps
from motiongpt.errors import UserError


@dataclass(frozen=True)
class AutoencoderSettings(Steps):
    """How the movement encoder is trained; the defaults are T2M's.

    Attributes:
        window: frames of an example, a multiple of 4.
        sparsity: weight of the mean size of the movement steps.
        smoothness: weight of the mean difference of neighbouring movement steps.
    """

    window: int = 24
    sparsity: float = 0.001
    smoothness: float = 0.001


class MovementDecoder(nn.Module):
    """The mirror of `MovementEncoder`: two transposed convolutions; foot contacts come out too."""

    def __init__(self, sizes: T2MSizes) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.ConvTranspose1d(sizes.movement, sizes.movement_hidden, 4, 2, 1),
            nn.LeakyReLU(SLOPE),
            nn.ConvTranspose1d(sizes.movement_hidden, sizes.n_features, 4, 2, 1),
            nn.LeakyReLU(SLOPE),
        )
        self.out_net = nn.Linear(sizes.n_features, sizes.n_features)
        self.apply(initialise)

    def forward(self, movements: Tensor) -> Tensor:
        """Normalised features (B, 4 S, F) of movement steps (B, S, D)."""
        return self.out_net(self.main(movements.transpose(1, 2)).transpose(1, 2))


def autoencoder_loss(
    rebuilt: Tensor, features: Tensor, movements: Tensor, settings: AutoencoderSettings
) -> Tensor:
    """Mean absolute error of the features, and the two penalties on the movement steps."""
    error = nn.functional.l1_loss(rebuilt, features)
    size = movements.abs().mean()
    change = (movements[:, 1:] - movements[:, :-1]).abs().mean()
    return error + settings.sparsity * size + settings.smoothness * change


def train_movement_encoder(
    encoder: MovementEncoder,
    sizes: T2MSizes,
    clips: TrainingClips,
    settings: AutoencoderSettings,
    draw: np.random.Generator,
) -> None:
    """Train `encoder` in place, on windows of the training split.

    Raises:
        UserError: no training clip is as long as a window, or as `train_steps`.
    """
    long = clips.indices[clips.lengths >= settings.window]
    if not len(long):
        raise UserError(
            f"{clips.name}: no training clip has {settings.window} frames; choose a smaller "
            "evaluator.autoencoder.window"
        )
    device = next(encoder.parameters()).device
    decoder = MovementDecoder(sizes).to(device)
    encoder.train()

    def loss() -> Tensor:
        chosen = draw.choice(long, settings.batch_size)
        windows = [clips.window(int(index), settings.window, draw) for index in chosen]
        features = torch.from_numpy(np.stack(windows)).to(device)
        movements = encoder(features)
        return autoencoder_loss(decoder(movements), features, movements, settings)

    parameters = [*encoder.parameters(), *decoder.parameters()]
    train_steps("autoencoder", parameters, loss, settings, clips.log)
    encoder.eval().requires_grad_(False)
