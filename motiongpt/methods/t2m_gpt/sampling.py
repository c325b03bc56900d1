"""Generating rows of codes: greedy, or drawn from the network's own distribution.

Shape letters: B rows, X numbers of a text's features, V codes of the codebook, A = V + 1 choices.
"""

import numpy as np
import torch
from torch import Tensor

from motiongpt.methods.t2m_gpt.network import CodesSoFar, CodeTransformer

LOOK_EVERY = 4
"""Codes between looking which rows have ended: asking a GPU costs as much as some codes."""


@torch.no_grad()
def sample_codes(
    network: CodeTransformer,
    text: Tensor,
    uniforms: Tensor | None = None,
    exactly: Tensor | None = None,
) -> list[np.ndarray]:
    """Codes (n,) int64 of each row, n between 0 and `network.max_codes`.

    A row ends with its own stop, whatever the others do.

    Args:
        text: (B, X) features, on the network's device.
        uniforms: (B, at least max_codes) in [0, 1), one for each choice; None takes the likeliest.
        exactly: (B,) int64 codes that a row must have, at most max_codes: the stop can't be chosen
            before; 0 lets the row end.
    """
    device, stop, longest = text.device, network.stop, network.max_codes
    if len(text) == 0:
        return []
    counts = torch.zeros(len(text)) if exactly is None else exactly
    counts = counts.to(device, torch.int64).clamp(max=longest)
    drawn = None if uniforms is None else uniforms.to(device)
    found = torch.full((len(text), longest), stop, device=device)
    here = torch.arange(len(text), device=device)
    state = network.start(text)
    for position in range(longest):
        wanted = counts[here]
        may_stop, full = position >= wanted, (wanted > 0) & (position >= wanted)
        logits = _without_stop(state.logits, ~may_stop)
        ids = logits.argmax(1) if drawn is None else draw(logits.softmax(1), drawn[here, position])
        found[here, position] = ids.masked_fill(full, stop)
        if position + 1 == longest:
            break
        if (position + 1) % LOOK_EVERY == 0:
            here = _going_on(state, found, here, stop)
            if len(here) == 0:
                break
        state.append(found[here, position])
    ends = torch.cat((found == stop, torch.ones_like(found[:, :1], dtype=torch.bool)), 1)
    lengths = ends.int().argmax(1).tolist()
    return [row[:length] for row, length in zip(found.cpu().numpy(), lengths, strict=True)]


def draw(probabilities: Tensor, uniform: Tensor) -> Tensor:
    """Indices (B,): how many cumulative sums of (B, A) are <= uniform (B,), summed in float64.

    Rounding never leads beyond the last choice that is possible.
    """
    reached = probabilities.double().cumsum(1)
    drawn = (reached <= uniform.double()[:, None]).sum(1)
    numbers = torch.arange(probabilities.shape[1], device=probabilities.device)
    return drawn.minimum(numbers.where(probabilities > 0, 0).amax(1))


@torch.no_grad()
def released_greedy_batch(network: CodeTransformer, text: Tensor) -> Tensor:
    """Ids (B, T) as the released code gives them for a batch, which its first row ends for all.

    The other rows keep the stops that they chose, and read them. `sample_codes` with one row at a
    time, as the released evaluation does, knows no such thing.
    """
    state = network.start(text)
    rows = [state.logits.argmax(1)]
    while rows[-1][0] != network.stop and len(rows) <= network.max_codes:
        state.append(rows[-1])
        rows.append(state.logits.argmax(1))
    return torch.stack(rows[:-1], 1) if len(rows) > 1 else text.new_zeros(len(text), 0).long()


def _without_stop(logits: Tensor, rows: Tensor) -> Tensor:
    """Logits (B, A), minus infinity for the stop in these rows (B,)."""
    stop = logits[:, -1:].masked_fill(rows[:, None], -torch.inf)
    return torch.cat((logits[:, :-1], stop), 1)


def _going_on(state: CodesSoFar, found: Tensor, here: Tensor, stop: int) -> Tensor:
    """The rows that have no stop so far; the state forgets the others."""
    going = (found[here, : state.length] != stop).all(1)
    if not bool(going.all()):
        state.keep(going.nonzero().flatten())
        here = here[going]
    return here
