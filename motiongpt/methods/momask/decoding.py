"""Codes filled in step by step, then codebook by codebook (arXiv:2312.00063, sections 3.2 to 3.4).

Shapes: B rows, N tokens, S steps, V codes, X numbers of a text's features.
"""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from motiongpt.codecs.residual_vq.quantizer import NO_CODE
from motiongpt.methods.momask.masked import MaskedTransformer
from motiongpt.methods.momask.residual import ResidualTransformer

KEPT = 1e5
"""Score of a token that is not masked any more; those of masked ones are probabilities."""

Logits = Callable[[Tensor], Tensor]
Choose = Callable[[int, Tensor], Tensor]
"""From the number of the step and logits (B, N, A), minus infinity at what may not be, to (B, N)
int64 ids."""


class Step(NamedTuple):
    """One step of filling in.

    Attributes:
        inputs: (B, N) int64 ids that were read, masks among them.
        masked: (B, N) bool, where masks were.
        logits: (B, N, V), guided.
        drawn: (B, N) int64 ids, also where nothing was masked.
        ids: (B, N) int64 after the step.
        scores: (B, N), how sure each drawn id was; `KEPT` where nothing was masked.
    """

    inputs: Tensor
    masked: Tensor
    logits: Tensor
    drawn: Tensor
    ids: Tensor
    scores: Tensor


def masked_counts(lengths: Tensor, steps: int) -> Tensor:
    """(S, B) int64: how many of `lengths` (B,) tokens are masked at each step.

    A cosine from all of them down to one, which the last step draws anew.
    """
    at = torch.linspace(0, 1, steps, device=lengths.device)
    counts = ((at * math.pi * 0.5).cos()[:, None] * lengths).round()
    return counts.clamp(min=1).long()


def likeliest(logits: Tensor, left_out: float) -> Tensor:
    """Logits (…, A), minus infinity but for the ceil((1 - left_out) A) largest."""
    count = math.ceil((1 - left_out) * logits.shape[-1])
    values, indices = logits.topk(count, dim=-1)
    return torch.full_like(logits, -torch.inf).scatter(-1, indices, values)


def guided(network: Callable[[Tensor, Tensor], Tensor], text: Tensor, scale: float) -> Logits:
    """Logits with classifier-free guidance (arXiv:2207.12598), of a network of ids and a text.

    Args:
        network: called with (B, …) inputs and texts (B, X); zeros are no text.
        scale: how far to go from the logits without words through those with them; 1 listens to
            the words alone, in half the time.
    """
    if scale == 1:
        return lambda inputs: network(inputs, text)
    both = torch.cat((torch.zeros_like(text), text))

    def logits(inputs: Tensor) -> Tensor:
        doubled = inputs.repeat(2, *[1] * (inputs.dim() - 1))
        without, told = network(doubled, both).chunk(2)
        return without + scale * (told - without)

    return logits


def masked_logits(
    network: MaskedTransformer, text: Tensor, padding: Tensor, scale: float
) -> Logits:
    """Guided logits (B, N, V) of ids (B, N)."""
    return guided(lambda ids, told: network(ids, told, _as_often(padding, ids)), text, scale)


def residual_logits(
    network: ResidualTransformer, text: Tensor, padding: Tensor, scale: float, codebook: int
) -> Logits:
    """Guided logits (B, N, V + 1) of histories (B, N, D)."""

    def run(history: Tensor, told: Tensor) -> Tensor:
        which = torch.full((len(history),), codebook, device=history.device)
        return network(history, which, told, _as_often(padding, history))

    return guided(run, text, scale)


def fill_in(
    logits_of: Logits,
    ids: Tensor,
    scores: Tensor,
    counts: Tensor,
    mask: int,
    choose: Choose,
    left_out: float,
) -> Iterator[Step]:
    """Draw the codes that are asked for, the surest first; the last step's ids are the result.

    Each step masks the least sure ones again, draws them all at once, and keeps what is surer than
    the next step's share. A token once kept stays.

    Args:
        logits_of: ids (B, N) -> (B, N, V).
        ids: (B, N) int64; what is asked for is masked before the first step if `counts` says so.
        scores: (B, N) at the beginning: 0 where a token may be drawn, `KEPT` elsewhere.
        counts: (S, B) int64 tokens that are masked at each step.
        mask: id of a masked token.
        left_out: share of the codes, the least likely ones, that are never drawn.
    """
    for number, count in enumerate(counts):
        ranks = scores.argsort(dim=1, stable=True).argsort(dim=1)
        masked = ranks < count[:, None]
        inputs = ids.masked_fill(masked, mask)
        logits = logits_of(inputs)
        drawn = choose(number, likeliest(logits, left_out))
        ids = torch.where(masked, drawn, inputs)
        sure = logits.softmax(-1).gather(-1, drawn[..., None])[..., 0]
        scores = sure.masked_fill(~masked, KEPT)
        yield Step(inputs, masked, logits, drawn, ids, scores)


class Layer(NamedTuple):
    """One codebook of `add_codebooks`: what went in (B, N, D), came out, and was drawn (B, N)."""

    history: Tensor
    logits: Tensor
    drawn: Tensor


def add_codebooks(
    network: ResidualTransformer,
    ids: Tensor,
    text: Tensor,
    padding: Tensor,
    scale: float,
    choose: Choose,
    left_out: float,
    draws_pads: bool = False,
    known: Tensor | None = None,
    count: int | None = None,
) -> Iterator[Layer]:
    """Draw the codes of one codebook after the other, each for all tokens at once.

    Args:
        ids: (B, N) int64 codes of the first codebook.
        padding: (B, N) bool, True where a token is none.
        scale, left_out: see `guided` and `likeliest`.
        draws_pads: whether the class of pads may be drawn for a token, as released; it then lacks
            a code, and the codebooks after read the pad's row.
        known: (B, N, Q) codes that are not to be drawn, `NO_CODE` where they are.
        count: codebooks to add; None for all that there are.
    """
    history = torch.zeros(())
    previous = ids.masked_fill(padding, network.pad)
    for codebook in range(1, 1 + (network.codebooks - 1 if count is None else count)):
        history = history.to(text.device) + network.embed(previous, codebook - 1)
        logits = residual_logits(network, text, padding, scale, codebook)(history)
        possible = logits.clone()
        if not draws_pads:
            possible[..., network.pad] = -torch.inf
        drawn = choose(codebook - 1, likeliest(possible, left_out))
        if known is not None:
            there = known[..., codebook]
            drawn = torch.where(there == NO_CODE, drawn, there)
        previous = drawn.masked_fill(padding, network.pad)
        yield Layer(history, logits, previous)


def codes_of(ids: Tensor, layers: list[Layer], padding: Tensor, pad: int) -> Tensor:
    """Codes (B, N, layers + 1), `NO_CODE` at pads and where a pad was drawn."""
    codes = torch.stack([ids, *(layer.drawn for layer in layers)], -1)
    return codes.masked_fill(padding[..., None] | (codes == pad), NO_CODE)


def _as_often(padding: Tensor, rows: Tensor) -> Tensor:
    """Padding (B, N) for rows that are B or, with guidance, twice B."""
    return padding.repeat(len(rows) // len(padding), 1)
