"""Where a code stands most typically: between its most frequent neighbours.

A token's neighbours are the codes of the first codebook before and after it; of a code of another
codebook also the one that it adds to.
Shape letters: M tokens of all clips, Q codebooks, K codes of each.
"""

from dataclasses import dataclass

import numpy as np

from motiongpt.codebook.tokens import Tokens

NEIGHBOURS = 4
"""Codes before and after that a page names."""
OUTSIDE = -1
"""Stands for the neighbour that the first and the last token of a clip lack."""


@dataclass(frozen=True)
class Context:
    """One occurrence of a code, that with the most frequent neighbours.

    Attributes:
        first, last: tokens of all clips that are shown, the last one exclusive; of one clip.
        token: the one that has the code.
        before, after: (code, share of the occurrences) of the first codebook, most frequent first.
    """

    first: int
    last: int
    token: int
    before: list[tuple[int, float]]
    after: list[tuple[int, float]]


def contexts_of(tokens: Tokens, codebook: int, size: int, reach: int) -> list[Context | None]:
    """A context of each of the `size` codes of a codebook, None for those that are not used.

    Args:
        reach: tokens shown on each side; fewer where the clip begins or ends. Of occurrences with
            the same neighbours one that has them all is taken.
    """
    starts = np.concatenate([[0], tokens.ends[:-1]])
    first, last = starts[tokens.owners], tokens.ends[tokens.owners]  # of each token's clip
    position = np.arange(len(tokens.codes))
    base, column = tokens.codes[:, 0], tokens.codes[:, codebook]
    before = np.where(position > first, np.roll(base, 1), OUTSIDE)
    after = np.where(position < last - 1, np.roll(base, -1), OUTSIDE)
    whole = (position - reach >= first) & (position + reach < last)
    order = np.argsort(column, kind="stable")
    bounds = np.searchsorted(column[order], np.arange(size + 1))
    found: list[Context | None] = []
    for code in range(size):
        own = order[bounds[code] : bounds[code + 1]]
        if not len(own):
            found.append(None)
            continue
        around = np.stack([before[own], base[own], after[own]], axis=1)
        token = int(_commonest(own, around, whole[own]))
        window = max(token - reach, int(first[token])), min(token + reach + 1, int(last[token]))
        found.append(Context(*window, token, _shares(before[own]), _shares(after[own])))
    return found


def _commonest(own: np.ndarray, around: np.ndarray, whole: np.ndarray) -> int:
    """The first occurrence with the commonest row of `around`, of those with a whole window if any
    of them has one."""
    _, rows, counts = np.unique(around, axis=0, return_inverse=True, return_counts=True)
    common = rows.reshape(-1) == counts.argmax()
    best = common & whole if (common & whole).any() else common
    return int(own[best.argmax()])


def _shares(neighbours: np.ndarray) -> list[tuple[int, float]]:
    codes, counts = np.unique(neighbours[neighbours >= 0], return_counts=True)
    order = np.argsort(-counts, kind="stable")[:NEIGHBOURS]
    return [(int(codes[i]), float(counts[i] / len(neighbours))) for i in order]
