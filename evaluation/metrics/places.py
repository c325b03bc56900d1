"""Which clips count: each once, however many processes repeat it to fill their batches.

Shape letters: N clips.
"""

import numpy as np
import torch
from torch import Tensor

from evaluation.metrics.base import Metric

ARRIVAL = -1  # the place of what came without one


def checked_places(places: Tensor | None, count: int, metric: Metric) -> Tensor:
    """Places (count,) int64 of clips in the split; `ARRIVAL` for each where none are given.

    Raises:
        UserError: another number of places than of clips.
    """
    if places is None:
        return torch.full((count,), ARRIVAL)
    if len(places) != count:
        raise metric.mistake(
            f"got {len(places)} places for {count} clips; give each clip its place"
        )
    return places


def counted(places: Tensor, metric: Metric) -> Tensor:
    """Rows that count, int64: one of each place, in the order of places (N,) on the
    CPU.

    The result is the same whatever the processes. Without places every row counts, in order of
    arrival.

    Raises:
        UserError: places given for some rows only.
    """
    found = places.numpy()
    if (found == ARRIVAL).all():
        return torch.arange(len(found))
    if (found == ARRIVAL).any():
        raise metric.mistake(
            "some clips came with places and some without; give places in every update or in none"
        )
    return torch.from_numpy(np.unique(found, return_index=True)[1])
