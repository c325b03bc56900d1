"""Choosing the next token of each row. Shapes: B rows, A tokens that may follow."""

from typing import Protocol

import torch
from torch import Tensor


class Choice(Protocol):
    """How a token is chosen.

    Attributes:
        strategy: "greedy" takes the likeliest; every other one draws.
        temperature: divides the logits.
        top_k: draw among the k likeliest; 0 for all.
        top_p: draw among the likeliest that hold this probability together.
    """

    @property
    def strategy(self) -> str: ...  # noqa: D102

    @property
    def temperature(self) -> float: ...  # noqa: D102

    @property
    def top_k(self) -> int: ...  # noqa: D102

    @property
    def top_p(self) -> float: ...  # noqa: D102


def choose(logits: Tensor, uniform: Tensor, how: Choice) -> Tensor:
    """Indices (B,) among the A tokens.

    Args:
        logits: (B, A), minus infinity at what may not follow.
        uniform: (B,) random numbers in [0, 1); not looked at by greedy decoding.
        how: sampling (temperature, then top k, then top p, as transformers does) or greedy.
    """
    if how.strategy == "greedy":
        return logits.argmax(dim=1)
    likeliest = min(how.top_k or logits.shape[1], logits.shape[1])
    scores, indices = (logits / how.temperature).topk(likeliest, dim=1)
    shares = scores.double().softmax(dim=1)
    reached = shares.cumsum(dim=1)
    if how.top_p < 1:
        # The likeliest tokens that reach this probability together, the one that reaches it too.
        shares = shares.masked_fill(reached - shares >= how.top_p, 0.0)
        reached = shares.cumsum(dim=1)
    wanted = uniform.double()[:, None] * reached[:, -1:]
    drawn = torch.searchsorted(reached, wanted, right=True)
    last = (shares > 0).sum(dim=1, keepdim=True) - 1  # rounding must not reach beyond them
    return indices.gather(1, drawn.minimum(last)).squeeze(1)
