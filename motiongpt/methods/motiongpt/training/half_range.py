"""T5 under float16 autocast: its feed-forward layers give numbers beyond float16's range."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class WideLinear(nn.Linear):
    """A linear layer that autocast leaves in float32."""

    def forward(self, values: Tensor) -> Tensor:
        """(..., in) to (..., out) float32."""
        with torch.autocast(values.device.type, enabled=False):
            return F.linear(values.float(), self.weight, self.bias)


def widen_feed_forward(model: PreTrainedModel) -> None:
    """Make the layers that transformers keeps in float32 (T5's `wo`) do so under autocast too.

    transformers keeps their weights; autocast would multiply them in float16 all the same, and what
    a trained T5 gives there passes 65,504. Nothing else of the model changes, nor what is saved.
    """
    kept = model._keep_in_fp32_modules or ()
    for name, module in model.named_modules():
        if name.rpartition(".")[2] in kept and type(module) is nn.Linear:
            module.__class__ = WideLinear
