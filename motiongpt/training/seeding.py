"""The global random streams, seeded alike before weights are drawn."""

import random

import numpy as np
import torch


def seed_everything(seed: int) -> None:
    """Seed Python's, numpy's and torch's streams, as Lightning's function of this name does."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
