"""HumanML3D's own features: nothing is lost."""

import numpy as np

OPTIONS: dict = {}
MILLIMETRES = 0.0
"""How far a joint may be off after reading, and why: the numbers themselves are read."""


def write(folder, name, bench):
    np.save(folder / f"{name}.npy", bench.features(name))
