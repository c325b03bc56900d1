"""Codes drawn so that a gradient goes through them, and translated back into words.

Inverse alignment (arXiv:2207.01696, section 3.3): what a text became must mean the text again.
Shapes: B batch, S steps, A codes and marks, V words.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from motiongpt.methods.tm2t.generating import Marks
from motiongpt.methods.tm2t.seq2seq import WordsToCodes
from motiongpt.methods.tm2t.translator import Translator


def soft_rows(
    network: WordsToCodes, words: Tensor, lengths: Tensor, gumbel: Tensor, marks: Marks
) -> tuple[Tensor, Tensor]:
    """Codes (B, S + 1, A) as ones and zeros, the start first, and how many (B,) each row has.

    Straight-through Gumbel softmax (arXiv:1611.01144) at temperature 1. A row has the codes before
    the step where its end is the likeliest; those behind are drawn all the same. A code that was
    drawn is looked up for the next step: no gradient goes from step to step through the choice.

    Args:
        words, lengths: see `WordsToCodes.begin`.
        gumbel: (B, S, A) of the standard Gumbel distribution.
    """
    steps = gumbel.shape[1]
    reading = network.begin(words, lengths)
    ids = torch.full((len(words),), marks.start, device=words.device)
    rows = [F.one_hot(ids, network.codes).to(gumbel.dtype)]
    counts = torch.full_like(ids, steps)
    barred = torch.zeros(network.codes, device=words.device)
    barred[[marks.start, marks.end]] = -torch.inf
    for step in range(steps):
        logits, reading = network.step(network.embedding(ids), reading)
        ended = (logits.argmax(-1) == marks.end) & (counts == steps)
        counts = torch.where(ended, step, counts)
        shares = (logits + barred + gumbel[:, step]).softmax(-1)
        ids = shares.argmax(-1)
        hard = F.one_hot(ids, network.codes).to(shares.dtype)
        rows.append(hard - shares.detach() + shares)
    return torch.stack(rows, 1), counts


def meant(
    translator: Translator,
    rows: Tensor,
    counts: Tensor,
    word_ids: Tensor,
    marks: Marks,
    pad: int,
    released: bool,
) -> Tensor:
    """Logits (B, L - 1, V) of the words (B, L) that the codes of `soft_rows` are translated to.

    Args:
        marks: of the codes.
        pad: of the words.
        released: the codes lack the end that those of the training have.
    """
    at = torch.arange(rows.shape[1], device=rows.device)
    present = at <= counts[:, None]
    if not released:
        end = F.one_hot(torch.tensor(marks.end, device=rows.device), rows.shape[-1]).to(rows)
        rows = torch.cat((rows, torch.zeros_like(rows[:, :1])), 1)
        at = torch.arange(rows.shape[1], device=rows.device)
        rows = torch.where((at == counts[:, None] + 1)[..., None], end, rows)
        present = at <= counts[:, None] + 1
    embedding = translator.source_embedding
    assert isinstance(embedding, torch.nn.Embedding)
    vectors = rows @ embedding.weight * present[..., None]
    source = translator.encode_embedded(vectors, present)
    read = word_ids[:, :-1]
    return translator.logits(translator.decode(read, source, present, read != pad))
