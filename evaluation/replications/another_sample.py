"""Real motion against other real motion: what a number is when nothing is wrong.

The distance of real motion to itself is 0, which no generated motion can reach: two finite samples
of the same motion differ. As many clips of the training split stand beside a model's outputs.
"""

from dataclasses import dataclass, field

import numpy as np

from motiongpt.data.store import MotionStore

ANOTHER_SAMPLE = "another real sample"
SHORTEST = 4  # frames that an evaluator can embed


@dataclass(frozen=True)
class AnotherSample:
    """Clips of the training split, drawn without replacement.

    Attributes:
        store: with the clips.
        count: how many are drawn: as many as are compared with.
    """

    store: MotionStore
    count: int
    _known: dict[int, np.ndarray] = field(default_factory=dict, repr=False)

    @property
    def exists(self) -> bool:
        """Whether the training split has so many."""
        return 0 < self.count <= len(self._indices())

    def draw(self, seed: int) -> list[np.ndarray]:
        """Features (T, F) of `count` clips; read once, whichever draw asks."""
        chosen = np.random.default_rng(seed).choice(self._indices(), self.count, replace=False)
        for index in chosen.tolist():
            if index not in self._known:
                self._known[index] = self.store.features(index)
        return [self._known[index] for index in chosen.tolist()]

    def _indices(self) -> np.ndarray:
        indices = self.store.indices("train")
        return indices[self.store.lengths[indices] >= SHORTEST]
