"""Random numbers of sampled rows: each row has a stream of its own.

So a row's answer does not depend on how many others are written beside it, nor on when they end;
and not on the device. Shapes: B rows, L tokens.
"""

import numpy as np
import torch
from torch import Tensor


def base_seed(seed: int | None) -> int:
    """`seed` itself, or one drawn of torch's global stream, which moves on."""
    return int(torch.randint(2**62, ())) if seed is None else seed


def uniform_rows(seed: int, rows: int, tokens: int) -> Tensor:
    """(B, tokens) float32 in [0, 1): the first numbers of each row's stream, on the CPU."""
    drawn = [_stream(seed, row).random(tokens, dtype=np.float32) for row in range(rows)]
    return torch.from_numpy(np.stack(drawn))


def _stream(seed: int, row: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, row])))
