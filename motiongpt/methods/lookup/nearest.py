"""The nearest clips of each query, kept while the memory is read chunk by chunk.

Distances are computed twice: all at once as a matrix product, whose last digits depend on what
else is in the batch, and those that could be among the nearest once more, each by itself. So what
is found does not depend on the batch. Shape letters: Q queries, F features.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

# A matrix product of float32 is off by less than this share of the squares that it is made of.
ROUNDING = 1e-5


class Hit(NamedTuple):
    """One clip that was found: least `distance` first, then by name, then by frame."""

    distance: float
    clip: int
    frame: int


@dataclass
class Nearest:
    """The `count` nearest clips so far, each once."""

    count: int
    hits: list[Hit] = field(default_factory=list)

    def limit(self, distances: np.ndarray) -> float:
        """No clip farther than this can be among the nearest.

        Args:
            distances: of the clips of a chunk, roughly.
        """
        kept = self.hits[-1].distance if len(self.hits) == self.count else np.inf
        if len(distances) < self.count:
            return kept
        return min(kept, float(np.partition(distances, self.count - 1)[self.count - 1]))

    def add(self, found: list[Hit]) -> None:
        """Take up what is nearer than what is kept."""
        best: dict[int, Hit] = {}
        for hit in sorted(self.hits + found):
            best.setdefault(hit.clip, hit)
        self.hits = list(best.values())[: self.count]

    def __getitem__(self, sample: int) -> Hit:
        """The hit of one of several samples; with more samples than clips they start anew."""
        return self.hits[sample % len(self.hits)]


def mean_squares(difference: np.ndarray) -> np.ndarray:
    """Mean over all but the first axis of the squares, float64, each row by itself; 0 of none."""
    if not difference.size:
        return np.zeros(len(difference))
    rows = np.ascontiguousarray(difference.reshape(len(difference), -1), np.float64)
    return np.square(rows).mean(-1)
