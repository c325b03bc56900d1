"""What the checks of MoMask's golden vectors share."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

Arrays = Mapping[str, np.ndarray]

OUTPUT, GUIDED = 2e-5, 1e-4
GRADIENTS = {"atol": OUTPUT, "rtol": 1e-4}


def tensor(arrays: Arrays, name: str) -> Tensor:
    """One array as a tensor."""
    return torch.from_numpy(np.asarray(arrays[name]))


def beside(folder: Path, array: str) -> dict[str, np.ndarray]:
    """The arrays of the case in `folder` that holds one of this name."""
    for path in sorted(folder.glob("*.npz")):
        with np.load(path, allow_pickle=False) as arrays:
            if array in arrays:
                return dict(arrays)
    raise ValueError(f"no case with {array} beside this one, whose weights it needs")
