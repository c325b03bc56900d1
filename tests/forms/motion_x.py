"""Motion-X's rows, at the rate of the data."""

import numpy as np

from tests.forms.motions import FPS, body

OPTIONS: dict = {"body_models": body, "fps": FPS}
MILLIMETRES = 0.1
"""As joints; the rows are float32."""


def write(folder, name, bench):
    motion = bench.motions[name]
    rows = np.zeros((len(motion.turns) - 1, 322), np.float32)
    rows[:, :66] = motion.turns[:-1].reshape(len(rows), 66)
    rows[:, 309:312] = motion.place[:-1] - [0.01, -0.2, 0.03]
    np.save(folder / f"{name}.npy", rows)
