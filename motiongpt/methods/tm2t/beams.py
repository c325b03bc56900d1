"""Beam search: of the beams so far and all ids that may follow, the likeliest stay.

Shapes: K beams, A ids, L ids of a beam.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from motiongpt.methods.tm2t.generating import Marks, Source

LENGTH_POWER = 0.7
"""A beam's score is divided by its length to this power, as released."""


class Beams(NamedTuple):
    """Beams after a step: ids (K, L), the start's mark first, and their log-probabilities (K,)."""

    ids: Tensor
    scores: Tensor


@torch.no_grad()
def beam_steps(
    source: Source, marks: Marks, beams: int, most: int, released: bool = False
) -> Iterator[Beams]:
    """Beams after each step, of one row, until each has the end or `most` ids.

    Args:
        source: of one row.
        beams: K.
        most: ids of a beam, start and end counted.
        released: a beam that has ended goes on and pays for what follows, as released; otherwise
            it waits as it is.
    """
    first = source.next_logits(torch.full((1, 1), marks.start, device=source.device))
    scores, ids = first.log_softmax(-1)[0].topk(beams)
    made = torch.cat((torch.full_like(ids[:, None], marks.start), ids[:, None]), 1)
    source.pick(torch.zeros(beams, dtype=torch.int64, device=source.device))
    yield Beams(made, scores)
    while made.shape[1] < most and not bool((made == marks.end).any(1).all()):
        shares = source.next_logits(made).log_softmax(-1)
        if not released:
            ended = (made == marks.end).any(1)
            waiting = torch.full_like(shares, -torch.inf)
            waiting[:, marks.end] = 0
            shares = torch.where(ended[:, None], waiting, shares)
        each, following = shares.topk(beams)
        total = (scores[:, None] + each).flatten()
        scores, best = total.topk(beams)
        rows = best // beams
        made = torch.cat((made[rows], following.flatten()[best][:, None]), 1)
        source.pick(rows)
        yield Beams(made, scores)


def best_beam(found: Beams, marks: Marks, power: float = LENGTH_POWER) -> Tensor:
    """Ids of the beam with the best score for its length, up to its end, both marks included."""
    ended = found.ids == marks.end
    first = ended.int().argmax(1) + 1
    lengths = torch.where(ended.any(1), first, found.ids.shape[1])
    best = int((found.scores / lengths.double() ** power).argmax())
    return found.ids[best, : int(lengths[best])]
