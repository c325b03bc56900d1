"""T5's attention, whose scores get a bias by distance: three ways, forward and backward.

Shapes: B rows, H heads, L positions, K numbers of a head.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.attention.flex_attention import flex_attention

from tests.benchmarks.speed.language import LANGUAGE_SIZES
from tests.benchmarks.speed.part import Settings
from tests.benchmarks.variants.variant import Group, Way, gradient_of

LENGTH = 64
SPREAD = 0.3  # of queries and keys: scores of a size that a trained model has
TOLERANCE = 0.02  # bfloat16; float32 is far within


def groups(settings: Settings) -> list[Group]:
    """Forward alone, as in the encoder of a generation, and with the backward of training."""
    dtype = torch.bfloat16 if settings.device == "cuda" else torch.float32
    made = []
    for backward in (False, True):
        ways = [Way(name, _way(attend, settings, dtype, backward)) for name, attend in WAYS.items()]
        title = "T5's attention, forward" + (" and backward" if backward else "")
        made.append(Group(title, ways, TOLERANCE))
    return made


def as_transformers(query: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> Tensor:
    """Scores, bias, softmax in float32, product: (B, H, L, K) each, bias (1, H, L, L)."""
    scores = query @ key.transpose(-2, -1) + bias
    return scores.float().softmax(dim=-1).to(value.dtype) @ value


def by_sdpa(query: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> Tensor:
    """torch's own attention, the bias as its mask; T5 has no scale."""
    return functional.scaled_dot_product_attention(query, key, value, attn_mask=bias, scale=1.0)


def by_flex(query: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> Tensor:
    """FlexAttention, the bias looked up for each score; compiled, as it is meant to be."""

    def with_bias(score: Tensor, row: Tensor, head: Tensor, one: Tensor, other: Tensor) -> Tensor:
        return score + bias[0, head, one, other]

    return _compiled_flex(query, key, value, score_mod=with_bias, scale=1.0)


_compiled_flex = torch.compile(flex_attention)
WAYS = {
    "as transformers does": as_transformers,
    "scaled_dot_product_attention": by_sdpa,
    "FlexAttention, compiled": by_flex,
}


def _way(
    attend: Callable[..., Tensor], settings: Settings, dtype: torch.dtype, backward: bool
) -> Callable[[], Callable[[], Tensor]]:
    def make() -> Callable[[], Tensor]:
        size = LANGUAGE_SIZES[settings.size]
        drawn = torch.Generator().manual_seed(settings.seed)

        def tensor(*shape: int) -> Tensor:
            found = SPREAD * torch.randn(shape, generator=drawn)
            return found.to(settings.device, dtype).requires_grad_(backward)

        shape = (size.clips, size.heads, LENGTH, size.head_width)
        inputs = [tensor(*shape) for _ in range(3)]
        bias = tensor(1, size.heads, LENGTH, LENGTH)
        learned = [*inputs, bias]

        def run() -> Tensor:
            if not backward:
                with torch.no_grad():
                    return attend(*inputs, bias)
            attend(*inputs, bias).float().square().sum().backward()
            return gradient_of(learned)

        return run

    return make
