"""Random numbers of sampled rows: each row has a stream of its own, by its key.

So a row's output does not depend on how many others are generated beside it, nor on when they end;
and not on the device. Shapes: B rows, L tokens.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor


def base_seed(seed: int | None) -> int:
    """`seed` itself, or one drawn of torch's global stream, which moves on."""
    return int(torch.randint(2**62, ())) if seed is None else seed


def generator_of(seed: int, key: int) -> np.random.Generator:
    """The stream of the row with this key."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, key])))


def uniform_rows(seed: int, keys: Sequence[int], count: int) -> Tensor:
    """(B, count) float32 in [0, 1): the first numbers of each row's stream, on the CPU."""
    drawn = [generator_of(seed, key).random(count, dtype=np.float32) for key in keys]
    return torch.from_numpy(np.stack(drawn))


def normal_rows(seed: int, keys: Sequence[int], shape: Sequence[int]) -> Tensor:
    """(B, *shape) float32 standard normal: the first numbers of each row's stream, on the CPU."""
    drawn = [generator_of(seed, key).standard_normal(shape, dtype=np.float32) for key in keys]
    return torch.from_numpy(np.stack(drawn))
