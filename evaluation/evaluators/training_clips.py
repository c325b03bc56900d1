"""The training split as the evaluator's training sees it: windows, crops, captions.

Shapes: B clips, T frames, F features.
"""

import copy
from collections.abc import Callable, Iterator

import numpy as np

from evaluation.evaluators.t2m_networks import FRAMES_PER_STEP
from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError

BATCHES_SORTED_TOGETHER = 4
"""Clips of this many batches are sorted by length before they are shared out: little padding."""


class TrainingClips:
    """Clips of the training split that are long enough for one movement step.

    Args:
        store: with the clips.
        max_frames: clips are cut to their first `max_frames`.
        log: prints a line of progress.

    Raises:
        UserError: there are fewer than two such clips.
    """

    def __init__(self, store: MotionStore, max_frames: int, log: Callable[[str], None]) -> None:
        self.store, self.name, self.log = store, store.name, log
        self.max_frames = max_frames
        split = store.indices("train")
        self.indices = split[store.lengths[split] >= FRAMES_PER_STEP]
        self.lengths = np.minimum(store.lengths[self.indices], max_frames)
        if len(self.indices) < 2:
            raise UserError(
                f"{store.name}: {len(self.indices)} training clips of at least {FRAMES_PER_STEP} "
                "frames; an evaluator needs two to tell apart, prepare more data"
            )

    def captioned(self) -> "TrainingClips":
        """Those of the clips that have a caption.

        Raises:
            UserError: there are fewer than two; says how many have none.
        """
        silent = self.store.without_captions(self.indices)
        if not len(silent):
            return self
        said = f"{len(silent):,} of {len(self.indices):,} training clips have no caption"
        if len(self.indices) - len(silent) < 2:
            raise UserError(f"{self.name}: {said}; an evaluator needs two with words to tell apart")
        self.log(f"  evaluator: {said} and are left out of its matching")
        kept = ~np.isin(self.indices, silent)
        found = copy.copy(self)
        found.indices, found.lengths = self.indices[kept], self.lengths[kept]
        return found

    def window(self, index: int, frames: int, draw: np.random.Generator) -> np.ndarray:
        """(frames, F) normalised, from a random position in clip `index`."""
        first = int(draw.integers(int(self.store.lengths[index]) - frames + 1))
        return self._normalised(index, first, first + frames)

    def crop(self, position: int, draw: np.random.Generator) -> np.ndarray:
        """(T, F) normalised: the clip at `position` of `indices`, cut to a multiple of 4 frames.

        One time in three four more frames go, and the cut begins at a random frame (T2M's own
        augmentation).
        """
        length = int(self.lengths[position])
        units = length // FRAMES_PER_STEP
        if units > 1 and draw.random() < 1 / 3:
            units -= 1
        frames = units * FRAMES_PER_STEP
        first = int(draw.integers(length - frames + 1))
        return self._normalised(int(self.indices[position]), first, first + frames)

    def batches(self, batch_size: int, draw: np.random.Generator) -> Iterator[np.ndarray]:
        """Endless batches of positions in `indices`, each clip once an epoch, of similar lengths.

        Fewer clips than a batch make one batch of all of them.
        """
        batch_size = min(batch_size, len(self.indices))
        while True:
            order = draw.permutation(len(self.indices))
            whole = order[: len(order) // batch_size * batch_size]
            batches: list[np.ndarray] = []
            for first in range(0, len(whole), BATCHES_SORTED_TOGETHER * batch_size):
                part = whole[first : first + BATCHES_SORTED_TOGETHER * batch_size]
                part = part[np.argsort(self.lengths[part], kind="stable")]
                batches += np.split(part, len(part) // batch_size)
            for number in draw.permutation(len(batches)):
                yield batches[number]

    def _normalised(self, index: int, first: int, stop: int) -> np.ndarray:
        features = self.store.features(index, first, stop)
        return (features - self.store.mean) / self.store.std
