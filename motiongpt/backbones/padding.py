"""Lists of token ids of different lengths as one tensor, and the count of those cut short."""

import logging
from collections.abc import Sequence

import torch
from torch import Tensor

logger = logging.getLogger(__name__)


def pad(rows: Sequence[Sequence[int]], value: int, left: bool = False) -> Tensor:
    """Rows of token ids as (B, L) int64, filled with `value` up to the longest row."""
    width = max((len(row) for row in rows), default=0)
    padded = torch.full((len(rows), width), value, dtype=torch.long)
    for i, row in enumerate(rows):
        if row:
            columns = slice(width - len(row), width) if left else slice(0, len(row))
            padded[i, columns] = torch.tensor(row, dtype=torch.long)
    return padded


def mask(rows: Sequence[Sequence[int]], left: bool = False) -> Tensor:
    """Attention mask (B, L) int64 of `pad(rows)`: 1 at tokens, 0 at padding."""
    return pad([[1] * len(row) for row in rows], 0, left)


def positions_without(values: Tensor, ignored: int) -> Tensor:
    """Where (B, L) `values` are not `ignored`: (N,) int64 indices in the flattened values."""
    return (values != ignored).flatten().nonzero()[:, 0]


class Truncation:
    """Cuts rows that are too long, counts them, and warns at the 1st, 10th, 100th … of them."""

    def __init__(self, name: str, limit: int) -> None:
        """`name` says in warnings what is cut; `limit` is in tokens."""
        self.name = name
        self.limit = limit
        self.count = 0

    def cut(self, row: list[int], closing: Sequence[int] = ()) -> list[int]:
        """`row` with at most `limit` tokens; a row that is cut ends with `closing`."""
        if len(row) <= self.limit:
            return row
        self.count += 1
        if self.count in {10**power for power in range(10)}:
            logger.warning(
                "%d %s cut to %d tokens so far (the last had %d); raise %s to keep them whole",
                self.count,
                self.name,
                self.limit,
                len(row),
                self.name,
            )
        return row[: self.limit - len(closing)] + list(closing)
