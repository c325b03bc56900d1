"""What the logits of a batch are worth. Shapes: B rows, N positions, A classes."""

from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor

from motiongpt.methods.momask.masking import IGNORED


class TokenMeans(NamedTuple):
    """Means over the targets of a batch.

    Attributes:
        loss: scalar, nats.
        accuracy: scalar, share of the targets whose likeliest class is right.
    """

    loss: Tensor
    accuracy: Tensor


def token_means(logits: Tensor, labels: Tensor) -> TokenMeans:
    """Of logits (B, …, A) and labels (B, …), `IGNORED` where there is no target.

    Every target weighs the same, whatever row it is of; without one both are 0.
    """
    targets = labels != IGNORED
    count = targets.sum().clamp(min=1)
    total = F.cross_entropy(
        logits.flatten(0, -2), labels.flatten(), ignore_index=IGNORED, reduction="sum"
    )
    return TokenMeans(total / count, (logits.argmax(-1) == labels).sum() / count)
