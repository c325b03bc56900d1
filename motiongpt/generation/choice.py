"""Choosing the next token of each row. Shapes: B rows, A tokens that may be written."""

import torch
from torch import Tensor

from motiongpt.generation.decoding import Decoding


def choose(logits: Tensor, chance: Tensor, decoding: Decoding) -> Tensor:
    """Places (B,) among the A tokens.

    Args:
        logits: (B, A), minus infinity at what may not be written.
        chance: (B,) uniform in [0, 1); not looked at by greedy decoding.
        decoding: sampling (temperature, then top k, then top p, as transformers does) or greedy.
    """
    if decoding.strategy == "greedy":
        return logits.argmax(dim=1)
    likeliest = min(decoding.top_k or logits.shape[1], logits.shape[1])
    scores, places = (logits / decoding.temperature).topk(likeliest, dim=1)
    shares = scores.double().softmax(dim=1)
    reached = shares.cumsum(dim=1)
    if decoding.top_p < 1:
        # The likeliest tokens that reach this probability together, the one that reaches it too.
        shares = shares.masked_fill(reached - shares >= decoding.top_p, 0.0)
        reached = shares.cumsum(dim=1)
    wanted = chance.double()[:, None] * reached[:, -1:]
    drawn = torch.searchsorted(reached, wanted, right=True)
    last = (shares > 0).sum(dim=1, keepdim=True) - 1  # rounding must not reach beyond them
    return places.gather(1, drawn.minimum(last)).squeeze(1)
