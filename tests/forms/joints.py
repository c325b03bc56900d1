"""Positions: features are made of them anew, in float32."""

import numpy as np

OPTIONS: dict = {}
MILLIMETRES = 0.1
"""Positions are added up of steps and turns in float32, on the way to joints and back."""


def write(folder, name, bench):
    np.save(folder / f"{name}.npy", bench.joints(name))
