"""A language model with its weights laid out for single steps.

Shapes: B rows, L tokens of a prompt, D width, A tokens that may follow.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping

import torch
from torch import Tensor

from motiongpt.backbones.steps.product import product

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


class DecoderState(ABC):
    """B outputs that are being decoded.

    Attributes:
        hidden: (B, D) what the next token of each row follows from.
    """

    hidden: Tensor

    @abstractmethod
    def append(self, tokens: Tensor) -> None:
        """Append one token id (B,) to each row."""

    @abstractmethod
    def keep(self, rows: Tensor) -> None:
        """Go on with `rows` (B',) only."""


class StepModel(ABC):
    """A language model that starts outputs.

    It holds copies of weights; `Backbone.step_model` makes a new one when these change.
    """

    def __init__(self, precision: str) -> None:
        self.precision = precision
        self.dtype = DTYPES[precision]

    @abstractmethod
    def start(self, inputs: Mapping[str, Tensor], tokens: int) -> DecoderState:
        """Read prompts: `input_ids` and `attention_mask` (B, L), on the model's device.

        Args:
            tokens: that each row may have at most.
        """

    @abstractmethod
    def head(self, token_ids: Tensor) -> "Head":
        """The output embedding of the tokens (A,) that may follow, and of no others."""


class Head:
    """Scores of some tokens.

    Args:
        weight: (A, D) their rows of the output embedding.
        bias: (A,) or None.
        scale: of the hidden state.
        dtype: of the product.
    """

    def __init__(
        self, weight: Tensor, bias: Tensor | None, scale: float, dtype: torch.dtype
    ) -> None:
        self.product, self.dtype = product(weight, dtype), dtype
        self.bias, self.scale = bias, scale

    def __call__(self, hidden: Tensor) -> Tensor:
        """(B, D) to logits (B, A) float32."""
        logits = self.product((hidden * self.scale).to(self.dtype)).float()
        return logits if self.bias is None else logits + self.bias
