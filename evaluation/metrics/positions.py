"""Which clips count: each once, however many processes repeat it to fill their batches.

Shape letters: N clips.
"""

import numpy as np
import torch
from torch import Tensor

from evaluation.metrics.base import Metric

ARRIVAL = -1  # the position of what came without one


def checked_positions(positions: Tensor | None, count: int, metric: Metric) -> Tensor:
    """Positions (count,) int64 of clips in the split; `ARRIVAL` for each where none are given.

    Raises:
        UserError: another number of positions than of clips.
    """
    if positions is None:
        return torch.full((count,), ARRIVAL)
    if len(positions) != count:
        raise metric.mistake(
            f"got {len(positions)} positions for {count} clips; give each clip its position"
        )
    return positions


def counted(positions: Tensor, metric: Metric) -> Tensor:
    """Rows that count, int64: one of each position, in the order of positions (N,) on the CPU.

    The result is the same whatever the processes. Without positions every row counts, in order of
    arrival.

    Raises:
        UserError: positions given for some rows only.
    """
    found = positions.numpy()
    if (found == ARRIVAL).all():
        return torch.arange(len(found))
    if (found == ARRIVAL).any():
        raise metric.mistake(
            "some clips came with positions and some without; "
            "give positions in every update or in none"
        )
    return torch.from_numpy(np.unique(found, return_index=True)[1])
