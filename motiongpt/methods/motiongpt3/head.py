"""The diffusion head of MotionGPT3 (arXiv:2506.24086): hidden states in, noise of a latent out.

Shapes: B batch, N latent vectors of D numbers, K hidden states of H numbers, W width of the head.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from motiongpt.errors import UserError
from motiongpt.methods.mld.denoiser import step_features

STEP_NUMBERS = 256
EPSILON = 1e-6


class HiddenTokens(nn.Module):
    """N learned tokens look at K hidden states, in one block of a transformer.

    Args:
        latent_tokens: N.
        hidden_width: H.
        width: W of what comes out.
        heads: of attention.
        ratio: width of the feed-forward's inside over H.
        dropout: share of activations that training hides.
        positions: rows of the learned table, of which N + K are used; 500 as released.
    """

    def __init__(
        self,
        latent_tokens: int,
        hidden_width: int,
        width: int,
        heads: int = 4,
        ratio: int = 4,
        dropout: float = 0.1,
        positions: int = 500,
    ) -> None:
        super().__init__()
        self.tokens = nn.Parameter(torch.zeros(latent_tokens, hidden_width))
        self.positions = nn.Parameter(torch.randn(positions, hidden_width) * 0.02)
        self.block = nn.TransformerEncoderLayer(
            hidden_width, heads, ratio * hidden_width, dropout, "gelu", batch_first=True
        )
        self.output = nn.Linear(hidden_width, width)

    def forward(self, hidden: Tensor) -> Tensor:
        """(B, N, W) of hidden states (B, K, H)."""
        tokens = self.tokens.expand(len(hidden), -1, -1)
        sequence = torch.cat((tokens, hidden), 1)
        read = self.block(sequence + self.positions[: sequence.shape[1]])
        found: Tensor = self.output(read[:, : tokens.shape[1]])
        return found


class HeadBlock(nn.Module):
    """x + gate x MLP(norm x, scaled and shifted); the three of the condition."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, eps=EPSILON)
        self.feed_forward = nn.Sequential(
            nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width)
        )
        self.modulation = nn.Linear(width, 3 * width)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        """(B, …, W), (B, …, W) to (B, …, W)."""
        shift, scale, gate = self.modulation(F.silu(condition)).chunk(3, -1)
        found: Tensor = x + gate * self.feed_forward(self.norm(x) * (1 + scale) + shift)
        return found


class DiffusionHead(nn.Module):
    """The noise in a noisy latent, told by hidden states of a language model.

    Args:
        latent_width: D.
        hidden_width: H.
        latent_tokens: N; None takes the hidden states as one flat vector (B, K H) by a linear
            layer, and latents (B, D).
        hidden_tokens: K.
        width: W.
        depth: blocks.
        dropout: of the block that reads the hidden states.
        positions: see `HiddenTokens`.

    Raises:
        UserError: a hidden width that four heads can't share.
    """

    def __init__(
        self,
        latent_width: int,
        hidden_width: int,
        latent_tokens: int | None = 1,
        hidden_tokens: int = 4,
        width: int = 1024,
        depth: int = 3,
        dropout: float = 0.1,
        positions: int = 500,
    ) -> None:
        super().__init__()
        if latent_tokens is not None and hidden_width % 4:
            raise UserError(
                f"language.width is {hidden_width}; the diffusion head's four heads must share it"
            )
        self.latent_width, self.hidden_width = latent_width, hidden_width
        self.latent_tokens, self.hidden_tokens = latent_tokens, hidden_tokens
        self._sizes = {"width": width, "depth": depth, "dropout": dropout, "positions": positions}
        self.step_embedding = nn.Sequential(
            nn.Linear(STEP_NUMBERS, width), nn.SiLU(), nn.Linear(width, width)
        )
        self.input = nn.Linear(latent_width, width)
        self.condition: nn.Module = nn.Linear(hidden_tokens * hidden_width, width)
        if latent_tokens is not None:
            self.condition = HiddenTokens(
                latent_tokens, hidden_width, width, dropout=dropout, positions=positions
            )
        self.blocks = nn.ModuleList(HeadBlock(width) for _ in range(depth))
        self.modulation = nn.Linear(width, 2 * width)
        self.output = nn.Linear(width, latent_width)
        self._begin_as_nothing()

    def forward(self, latents: Tensor, steps: Tensor, hidden: Tensor) -> Tensor:
        """The noise (B, N, D) in `latents` (B, N, D).

        Args:
            steps: (B,) int64 of the whole diffusion.
            hidden: (B, K, H).
        """
        told = self.condition(hidden)
        step = self.steps(steps)
        condition = told + (step if told.dim() == 2 else step[:, None])
        x = self.input(latents)
        for block in self.blocks:
            x = block(x, condition)
        shift, scale = self.modulation(F.silu(condition)).chunk(2, -1)
        x = F.layer_norm(x, x.shape[-1:], eps=EPSILON) * (1 + scale) + shift
        found: Tensor = self.output(x)
        return found

    def steps(self, steps: Tensor) -> Tensor:
        """(B, W) of the steps (B,) of the diffusion."""
        found: Tensor = self.step_embedding(step_features(steps, STEP_NUMBERS))
        return found

    def arguments(self) -> dict[str, Any]:
        """The constructor's arguments, fit for JSON."""
        return {
            "latent_width": self.latent_width,
            "hidden_width": self.hidden_width,
            "latent_tokens": self.latent_tokens,
            "hidden_tokens": self.hidden_tokens,
            **self._sizes,
        }

    def _begin_as_nothing(self) -> None:
        """Modulations and the output are zero at first, as adaptive norms begin (2212.09748)."""
        blocks = [block for block in self.blocks if isinstance(block, HeadBlock)]
        for layer in (*(block.modulation for block in blocks), self.modulation, self.output):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
