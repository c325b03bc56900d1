"""Less trembling, and impacts as hard as they were.

A low-pass filter takes both away. Here what it takes away is looked at: where that is as small as
usual in the clip it was trembling and stays away; where it is several times as large something has
happened, a foot that lands, a hand that claps, and it comes back.

The filter is Savitzky and Golay's (Analytical Chemistry 36, 1964), which keeps the height of
peaks. Shape letters: T frames, J joints.
"""

import numpy as np
from scipy.signal import savgol_filter

SECONDS = 0.45  # length of the window
DEGREE = 3  # of the polynomials that are fitted in it
IMPACT = 4.0  # times the usual remainder: half of such a one comes back
SMALL = 1e-4  # metres; a clip that trembles less does not tremble


def smoothed(joints: np.ndarray, fps: float) -> np.ndarray:
    """Joints (T, J, 3) in metres without their trembling; clips shorter than a window stay."""
    window = 2 * round(SECONDS * fps / 2) + 1
    if window <= DEGREE + 1 or len(joints) < window:
        return joints
    calm = savgol_filter(joints, window, DEGREE, axis=0)
    rest = joints - calm
    size = np.linalg.norm(rest, axis=-1, keepdims=True)
    usual = IMPACT * max(float(np.median(size)), SMALL)
    found: np.ndarray = calm + rest * (size**4 / (size**4 + usual**4))
    return found
