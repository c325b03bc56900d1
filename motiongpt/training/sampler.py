"""Which clips make up the batch of a step: a pure function of the seed and the step.

Because nothing depends on what was drawn before, a run that is resumed at step N sees exactly the
batches that an undisturbed run sees, whatever the number of workers or processes.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from torch.utils.data import Sampler

Key = tuple[int, int]


class StepBatchSampler(Sampler[list[Key]]):
    """Endless batches of keys (clip index, random seed), shuffled anew each epoch.

    Args:
        indices: (N,) clips to draw from.
        batch_size: clips a step, over all processes.
        seed: of the shuffling and of the keys' random seeds.
        start: gives the first step, asked when iteration begins (it is known after a resume).
        shuffle: draw a new order each epoch; False keeps that of `indices`, as the released code's
            training does on one GPU (B2 of the audit); weighted clips can't be drawn so.
        lengths: (N,) of the clips, in any unit; needed where `bucket` is above 1.
        bucket: batches of the shuffled order whose clips are sorted by length, so that a batch
            holds clips of similar lengths and little padding; 1 sorts nothing.
        weights: (N,) how often a clip is drawn beside the others. An epoch keeps its N draws; a
            clip is in it as often as its share of them says, rounded up or down by a draw that
            differs from epoch to epoch. None draws each clip once.
        rank, world: this process takes the `rank`-th of `world` equal parts of a batch. Parts are
            one after the other, so that rows of a codebook are drawn from the same clips by 1
            process and by 8.

    Raises:
        ValueError: no clips, a batch that the processes can't share evenly, or buckets of clips
            without lengths or in a fixed order.
    """

    def __init__(
        self,
        indices: np.ndarray,
        batch_size: int,
        seed: int,
        start: Callable[[], int] = lambda: 0,
        rank: int = 0,
        world: int = 1,
        shuffle: bool = True,
        lengths: np.ndarray | None = None,
        bucket: int = 1,
        weights: np.ndarray | None = None,
    ) -> None:
        if len(indices) == 0:
            raise ValueError("no clips to draw batches from")
        if bucket < 1 or (bucket > 1 and (lengths is None or not shuffle)):
            raise ValueError(f"bucket={bucket} needs to be 1, or clips with lengths and shuffle")
        if weights is not None and not shuffle:
            raise ValueError("weighted clips need shuffle")
        if batch_size % world:
            raise ValueError(f"a global batch of {batch_size} can't be shared by {world} processes")
        self.indices = np.asarray(indices)
        self.batch_size, self.seed, self.start = batch_size, seed, start
        self.rank, self.world, self.shuffle = rank, world, shuffle
        self.lengths, self.bucket, self.weights = lengths, bucket, weights

    def __iter__(self) -> Iterator[list[Key]]:
        step = self.start()
        while True:
            yield self.batch(step)
            step += 1

    def batch(self, step: int) -> list[Key]:
        """This process's keys of one step."""
        size = self.batch_size // self.world
        first = step * self.batch_size + self.rank * size
        positions = range(first, first + size)
        return [(self._clip(position), random_seed(self.seed, position)) for position in positions]

    def _clip(self, position: int) -> int:
        epoch, index = divmod(position, len(self.indices))
        return int(self.indices[self._order(epoch)[index]])

    def _order(self, epoch: int) -> np.ndarray:
        if not self.shuffle:
            return np.arange(len(self.indices))
        known: tuple[int, np.ndarray] | None = getattr(self, "_known_order", None)
        if known is None or known[0] != epoch:
            draw = np.random.default_rng([self.seed, epoch])
            order = draw.permutation(self._drawn(epoch))
            if self.bucket > 1:
                self._sort_in_buckets(order, epoch, draw)
            known = self._known_order = (epoch, order)
        return known[1]

    def _drawn(self, epoch: int) -> np.ndarray | int:
        """Positions of the clips of an epoch, or how many there are where each is in it once.

        Systematic sampling: a comb of N equal steps, laid over the weights end to end.
        """
        if self.weights is None:
            return len(self.indices)
        ends = np.cumsum(self.weights) / self.weights.sum() * len(self.indices)
        first = np.random.default_rng([self.seed, epoch, 1]).random()
        comb = np.arange(len(self.indices)) + first
        return np.minimum(np.searchsorted(ends, comb, "right"), len(self.indices) - 1)

    def _sort_in_buckets(self, order: np.ndarray, epoch: int, draw: np.random.Generator) -> None:
        """Give the batches of an epoch's order (N,) clips of similar lengths, in place.

        Only batches that lie whole within the epoch take part. Rows of a batch are shuffled again:
        processes, which take one part after the other, get the same mix of lengths.
        """
        assert self.lengths is not None
        size = self.batch_size
        begun = -epoch * len(order) % size  # clips of the batch that the last epoch began
        batches = max(0, len(order) - begun) // size
        whole = order[begun : begun + batches * size].reshape(-1, size)
        for first in range(0, batches, self.bucket):
            bucket = whole[first : first + self.bucket]
            clips = bucket.ravel()
            clips = clips[np.argsort(self.lengths[clips], kind="stable")]
            bucket[:] = draw.permuted(draw.permutation(clips.reshape(-1, size)), axis=1)


def random_seed(*parts: int) -> int:
    """A 63-bit seed that depends on all `parts` and nothing else."""
    return int(
        np.random.SeedSequence([part & 0xFFFFFFFF for part in parts]).generate_state(1, np.uint64)[
            0
        ]
        >> 1
    )


def fixed_keys(indices: np.ndarray, seed: int) -> list[Key]:
    """One key a clip, always the same: what validation uses."""
    return [(int(index), random_seed(seed, row)) for row, index in enumerate(indices)]


class ValidationBatches(Sampler[list[Key]]):
    """This process's keys of a validation split, each once and in batches; perhaps none.

    It has no length: Lightning leaves the validation out where it sees a length of 0, and the
    others would wait for this process for ever.

    Args:
        keys: of the whole split.
        size: of a batch, on this process.
        rank, world: this process takes every `world`-th key, from `rank` on.
    """

    def __init__(self, keys: Sequence[Key], size: int, rank: int = 0, world: int = 1) -> None:
        self.keys, self.size = list(keys[rank::world]), size

    def __iter__(self) -> Iterator[list[Key]]:
        for first in range(0, len(self.keys), self.size):
            yield self.keys[first : first + self.size]
