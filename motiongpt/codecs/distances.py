"""Distances that a reconstruction is trained with, by the names that configs use."""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor

from motiongpt.errors import UserError

Distance = Callable[[Tensor, Tensor], Tensor]

DISTANCES: dict[str, Distance] = {
    "l1_smooth": F.smooth_l1_loss,
    "l1": F.l1_loss,
    "l2": F.mse_loss,
}


def distance_by_name(option: str, name: str) -> Distance:
    """Mean distance of two tensors.

    Args:
        option: that `name` is the value of, for the message.

    Raises:
        UserError: unknown; the valid ones are listed.
    """
    if name not in DISTANCES:
        raise UserError(f"{option} is {name!r}; choose one of: {', '.join(DISTANCES)}")
    return DISTANCES[name]
