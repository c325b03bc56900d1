"""The VQ-VAE in the original's way: plain convolutions over whole tensors, no lengths, float32.

Written anew after what MotionGPT's released code was seen to do, apart from ours, so that what ours
gains is not given to both sides. Shapes: B clips, T frames, L tokens, F features, D code width, K
codes.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from motiongpt.codecs.vq_vae.network import VQVAE

DECAY = 0.99
USED = 1.0  # vectors a step below which a code is replaced
VELOCITY = 0.5  # weights of the losses
COMMITMENT = 0.02
POSITIONS = slice(4, 67)  # the channels of the "velocity" loss


class Residual(nn.Module):
    """x + convolution(relu(dilated convolution(relu(x))))."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.ReLU(),
            nn.Conv1d(width, width, 3, 1, dilation, dilation),
            nn.ReLU(),
            nn.Conv1d(width, width, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, D, T) to (B, D, T)."""
        return x + self.layers(x)


class OriginalVQVAE(nn.Module):
    """Encoder, moving-average codebook whose unused codes are replaced, decoder."""

    codebook: Tensor

    def __init__(self, features: int, width: int, layers: int, depth: int, codes: int) -> None:
        super().__init__()
        dilations = [3**exponent for exponent in reversed(range(depth))]
        encoder: list[nn.Module] = [nn.Conv1d(features, width, 3, 1, 1), nn.ReLU()]
        decoder: list[nn.Module] = [nn.Conv1d(width, width, 3, 1, 1), nn.ReLU()]
        for _ in range(layers):
            encoder += [nn.Conv1d(width, width, 4, 2, 1), *(Residual(width, d) for d in dilations)]
            decoder += [
                *(Residual(width, d) for d in dilations),
                nn.Upsample(scale_factor=2, mode="nearest"),
                nn.Conv1d(width, width, 3, 1, 1),
            ]
        encoder += [nn.Conv1d(width, width, 3, 1, 1)]
        decoder += [
            nn.Conv1d(width, width, 3, 1, 1),
            nn.ReLU(),
            nn.Conv1d(width, features, 3, 1, 1),
        ]
        self.encoder = nn.Sequential(*encoder)
        self.decoder = nn.Sequential(*decoder)
        self.register_buffer("codebook", torch.zeros(codes, width))
        self._sums, self._counts = torch.empty(0), torch.empty(0)

    @classmethod
    def like(cls, ours: VQVAE) -> "OriginalVQVAE":
        """The same weights and codebook; the convolutions of both stand in the same order."""
        sizes = ours.arguments()
        made = cls(
            ours.n_features,
            sizes["width"],
            ours.frames_per_token.bit_length() - 1,
            sizes["depth"],
            ours.codebook_size,
        )
        for own, other in zip(_convolutions(made), _convolutions(ours), strict=True):
            own.load_state_dict(other.state_dict())
        made.codebook.copy_(ours.quantizer.codebook)
        return made

    def encode(self, features: Tensor) -> Tensor:
        """Codes (B, L) of features (B, T, F)."""
        latents = self.encoder(features.permute(0, 2, 1)).permute(0, 2, 1).contiguous()
        return self._nearest(latents.view(-1, latents.shape[-1])).view(len(features), -1)

    def decode(self, codes: Tensor) -> Tensor:
        """Features (1, T, F) of one clip's codes (L,)."""
        vectors = F.embedding(codes, self.codebook)
        return self.decoder(vectors[None].permute(0, 2, 1).contiguous()).permute(0, 2, 1)

    def loss(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """What a training step lessens, and its reconstruction part; the codebook learns."""
        latents = self.encoder(features.permute(0, 2, 1))
        rows = latents.permute(0, 2, 1).contiguous()
        vectors = rows.view(-1, rows.shape[-1])
        if not len(self._sums):
            self.codebook.copy_(vectors.detach()[: len(self.codebook)])
            self._sums = self.codebook.clone()
            self._counts = torch.ones(len(self.codebook), device=vectors.device)
        codes = self._nearest(vectors)
        chosen = F.embedding(codes, self.codebook)
        self._learn(vectors.detach(), codes)
        commitment = F.mse_loss(vectors, chosen)
        passed = (vectors + (chosen - vectors).detach()).view(rows.shape).permute(0, 2, 1)
        found = self.decoder(passed.contiguous()).permute(0, 2, 1)
        reconstruction = F.smooth_l1_loss(found, features)
        velocity = F.smooth_l1_loss(found[..., POSITIONS], features[..., POSITIONS])
        return reconstruction + VELOCITY * velocity + COMMITMENT * commitment, reconstruction

    def _nearest(self, vectors: Tensor) -> Tensor:
        """Codes (N,) of vectors (N, D)."""
        transposed = self.codebook.t()
        distances = (
            torch.sum(vectors**2, dim=-1, keepdim=True)
            - 2 * torch.matmul(vectors, transposed)
            + torch.sum(transposed**2, dim=0, keepdim=True)
        )
        return torch.min(distances, dim=-1)[1]

    @torch.no_grad()
    def _learn(self, vectors: Tensor, codes: Tensor) -> None:
        chosen = torch.zeros(len(self.codebook), len(vectors), device=vectors.device)
        chosen.scatter_(0, codes[None], 1)
        self._sums = DECAY * self._sums + (1.0 - DECAY) * (chosen @ vectors)
        self._counts = DECAY * self._counts + (1.0 - DECAY) * chosen.sum(dim=-1)
        used = (self._counts[:, None] >= USED).float()
        mean = self._sums / self._counts[:, None]
        self.codebook.copy_(used * mean + (1 - used) * vectors[: len(self.codebook)])


def _convolutions(network: nn.Module) -> list[nn.Conv1d]:
    return [one for one in network.modules() if isinstance(one, nn.Conv1d)]
