"""Dilated residual 1-D convolutions, as in T2M-GPT (arXiv:2301.06052) and Jukebox before it."""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

from motiongpt.codecs.masking import masked
from motiongpt.errors import UserError

# All of them map 0 to 0, so that masked padding stays what a convolution's zero padding is.
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu,
    "silu": F.silu,
    "gelu": F.gelu,
}


def activation_by_name(name: str) -> Callable[[Tensor], Tensor]:
    """The activation called `name`.

    Raises:
        UserError: unknown name; the valid ones are listed.
    """
    if name not in ACTIVATIONS:
        valid = ", ".join(ACTIVATIONS)
        raise UserError(f"tokenizer.activation is {name!r}; choose one of: {valid}")
    return ACTIVATIONS[name]


class ResidualBlock(nn.Module):
    """x + dropout(pointwise(activation(dilated(activation(x))))); width and length stay."""

    def __init__(self, width: int, dilation: int, activation: str, dropout: float = 0.0) -> None:
        super().__init__()
        self.activation = activation_by_name(activation)
        self.dilated = nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation)
        self.pointwise = nn.Conv1d(width, width, 1)
        self.dropout = nn.Dropout(dropout)

    def forward(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        """(B, D, T) to (B, D, T); `mask` (B, T) hides what lies beyond the clips' ends."""
        inner = self.dilated(masked(self.activation(hidden), mask))
        return hidden + self.dropout(self.pointwise(self.activation(inner)))


class ResidualStack(nn.Module):
    """`depth` residual blocks; their dilations fall from growth^(depth - 1) to growth^0 = 1.

    The released encoder and decoder both begin with the widest dilation.

    Args:
        width: channels D.
        depth: number of blocks.
        dilation_growth: factor between the dilations of neighbouring blocks.
        activation: a key of `ACTIVATIONS`.
        dropout: of what a block adds.
    """

    def __init__(
        self, width: int, depth: int, dilation_growth: int, activation: str, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            ResidualBlock(width, dilation_growth**index, activation, dropout)
            for index in reversed(range(depth))
        )

    def forward(self, hidden: Tensor, mask: Tensor | None) -> Tensor:
        """(B, D, T) to (B, D, T)."""
        for block in self.blocks:
            hidden = block(hidden, mask)
        return hidden
