"""Where an elbow or a knee is, given what the limb hangs on and where it ends.

Shape letters: T frames.
"""

import numpy as np

from motiongpt.motion.turns import unit_or


def middle(
    first: np.ndarray,
    ahead: np.ndarray,
    distance: np.ndarray,
    lengths: tuple[np.ndarray | float, np.ndarray | float],
    pole: np.ndarray,
) -> np.ndarray:
    """The joint (T, 3) between two bones, by the law of cosines.

    Args:
        first: (T, 3) where the first bone begins.
        ahead: (T, 3) unit vectors from there to where the second ends.
        distance: (T,) of these, which the two bones can span.
        lengths: of the bones, (T,) or numbers.
        pole: (T, 3) to which side the joint lies.
    """
    upper, lower = lengths
    along = (upper**2 - lower**2 + distance**2) / np.maximum(2 * distance, 1e-9)
    aside = np.sqrt(np.maximum(upper**2 - along**2, 0))
    across = pole - (pole * ahead).sum(-1, keepdims=True) * ahead
    side = unit_or(across, np.array([0.0, 0.0, 1.0]))
    found: np.ndarray = first + along[:, None] * ahead + aside[:, None] * side
    return found
