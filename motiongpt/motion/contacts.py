"""When a foot stands, and where.

Shape letters: T frames.
"""

import numpy as np

HEIGHT = 0.05  # metres of a toe joint above the floor; as in GMD's foot skating ratio
SPEED = 0.6  # metres per second; a standing foot of a generated motion slides, a swinging one flies
SHORTEST, GAP = 0.14, 0.11  # seconds: of a contact, and of an interruption that is none


def floor_height(feet: np.ndarray) -> float:
    """Height in metres on which feet (T, joints, 3) stand: where the lowest is low, but no
    outlier. A little below 0, where the features have the floor, feet have sunk in."""
    found = float(np.percentile(feet[..., 1].min(-1), 5))
    return 0.0 if -HEIGHT < found < 0 else found


def standing(toe: np.ndarray, floor: float, fps: float) -> np.ndarray:
    """(T,) bool, True where a toe (T, 3) is near the floor and slow."""
    if len(toe) < 2:
        return np.zeros(len(toe), bool)
    steps = np.linalg.norm(np.diff(toe[:, ::2], axis=0), axis=-1) * fps
    speed = np.minimum(np.append(steps, steps[-1]), np.insert(steps, 0, steps[0]))
    found = (toe[:, 1] < floor + HEIGHT) & (speed < SPEED)
    for first, last in runs(~found):
        if first > 0 and last < len(toe) and last - first <= GAP * fps:
            found[first:last] = toe[first:last, 1].max() < floor + 2 * HEIGHT
    for first, last in runs(found):
        if last - first < SHORTEST * fps:
            found[first:last] = False
    return found


def runs(flags: np.ndarray) -> list[tuple[int, int]]:
    """First and past-the-last frame of each stretch of True in (T,)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]
