"""How many tokens a motion has, told by its text: the estimator that MoMask samples a length from.

The network is that of text-to-motion (Guo et al., CVPR 2022), as MoMask's released code has it.
"""

from typing import Any

from torch import Tensor, nn

WIDTHS = (512, 256, 128)
SLOPE = 0.2


class LengthEstimator(nn.Module):
    """p(number of tokens | text); class n means n tokens.

    Args:
        text_width: X, numbers of a text's features.
        max_tokens: of the longest motion; there are so many classes and one more.
        dropout: of the first two hidden layers.
    """

    def __init__(self, text_width: int, max_tokens: int = 49, dropout: float = 0.2) -> None:
        super().__init__()
        self.text_width, self.max_tokens, self.dropout = text_width, max_tokens, dropout
        first, second, third = WIDTHS
        self.layers = nn.Sequential(
            *_hidden(text_width, first),
            nn.Dropout(dropout),
            *_hidden(first, second),
            nn.Dropout(dropout),
            *_hidden(second, third),
            nn.Linear(third, max_tokens + 1),
        )

    def forward(self, text: Tensor) -> Tensor:
        """Logits (B, max_tokens + 1) float32 of texts (B, X); zeros are no text."""
        found: Tensor = self.layers(text)
        return found.float()

    def arguments(self) -> dict[str, Any]:
        """The constructor's arguments, fit for JSON."""
        return {
            "text_width": self.text_width,
            "max_tokens": self.max_tokens,
            "dropout": self.dropout,
        }


def _hidden(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
    return nn.Linear(inputs, outputs), nn.LayerNorm(outputs), nn.LeakyReLU(SLOPE)
