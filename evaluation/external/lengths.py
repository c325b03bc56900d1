"""Lengths that give another frame rate away: `.npy` files don't say theirs."""

from collections.abc import Sequence

import numpy as np

from motiongpt.errors import UserError

# Shares. Systems that are told how long a clip is make motions of that length, but for a few frames
# that they round by; one that chooses lengths itself has them spread far wider than this.
ALIKE, OFF = 0.05, 0.1
LONG_ENOUGH = 40  # frames: of shorter clips, rounding to units hides the share
FEWEST = 8  # clips, below which equal shares may be chance
USUAL = (10.0, 12.5, 15.0, 20.0, 24.0, 25.0, 30.0, 50.0, 60.0, 100.0, 120.0)  # frames per second


def check_lengths(found: Sequence[int], asked: Sequence[int], fps: float) -> None:
    """Refuse motions that are all longer, or shorter, than the real ones by one and the same share.

    Args:
        found: frames of each motion, as if at `fps`.
        asked: frames of each real clip at `fps`.

    Raises:
        UserError: says which frame rate they would be of.
    """
    pairs = [(mine, real) for mine, real in zip(found, asked, strict=True) if real >= LONG_ENOUGH]
    if len(pairs) < FEWEST:
        return
    shares = np.array([mine / real for mine, real in pairs])
    low, middle, high = np.quantile(shares, (0.1, 0.5, 0.9))
    same_for_all = len({mine for mine, _ in pairs}) == 1
    if same_for_all or abs(middle - 1) < OFF or (high - low) > ALIKE * middle:
        return
    likely = min(USUAL, key=lambda rate: abs(np.log(rate / (fps * middle))))
    raise UserError(
        f"the motions are {middle:.2f} times as long as the real clips, all of them: their frame "
        f"rate seems to be {likely:g}, not {fps:g}; give --fps {likely:g}, or --fps {fps:g} if "
        "that is how long they are"
    )
