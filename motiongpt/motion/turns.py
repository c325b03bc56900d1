"""Rotation matrices over time: fitting, shortest, part way, and none faster than a bound.

Shape letters: T frames, C bones.
"""

import numpy as np
from scipy.spatial.transform import Rotation

SHORT = 1e-9  # of a vector; below it there is no direction


def fitting(rest: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """(T, 3, 3) that turn bones (C, 3) as near as can be to (T, C, 3): Kabsch's algorithm."""
    left, _, right = np.linalg.svd(np.einsum("tci,cj->tij", wanted, rest))
    signs = np.ones((len(wanted), 1, 3))
    signs[:, 0, 2] = np.sign(np.linalg.det(left @ right))
    return (left * signs) @ right


def shortest(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """(T, 3, 3): the shortest turn of unit vectors (T, 3) to unit vectors (T, 3)."""
    axis = np.cross(start, end)
    sine = np.linalg.norm(axis, axis=-1, keepdims=True)
    cosine = (start * end).sum(-1, keepdims=True)
    aside = np.cross(start, np.eye(3)[np.abs(start).argmin(-1)])
    aside /= np.linalg.norm(aside, axis=-1, keepdims=True)
    # Opposite vectors, or equal ones: any axis across.
    axis = np.where(sine > SHORT, axis / np.maximum(sine, SHORT), aside)
    found: np.ndarray = Rotation.from_rotvec(axis * np.arctan2(sine, cosine)).as_matrix()
    return found


def unit_or(vectors: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    """Vectors (T, 3) at length 1; those that have no direction are `otherwise`."""
    size = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.where(size > 1e-6, vectors / np.maximum(size, SHORT), otherwise)


def part_way(start: np.ndarray, end: np.ndarray, share: float | np.ndarray) -> np.ndarray:
    """Rotations (T, 3, 3), `share` of the way from one to the other (a number, or (T, 1))."""
    first = Rotation.from_matrix(start)
    between = (first.inv() * Rotation.from_matrix(end)).as_rotvec()
    found: np.ndarray = (first * Rotation.from_rotvec(between * share)).as_matrix()
    return found


def steps(turns: np.ndarray) -> np.ndarray:
    """Angles (T - 1,) in radians between neighbours of (T, 3, 3)."""
    found: np.ndarray = Rotation.from_matrix(
        np.swapaxes(turns[:-1], -1, -2) @ turns[1:]
    ).magnitude()
    return found


def bounded(turns: np.ndarray, most: float) -> np.ndarray:
    """Rotations (T, 3, 3) near the given ones; no two neighbours differ by more than `most`.

    A turn that is too fast begins earlier and ends later; all others stay.

    Args:
        most: radians.
    """
    if len(turns) < 2 or steps(turns).max() <= most:
        return turns
    ahead = _following(turns, most)
    behind = _following(turns[::-1], most)[::-1]
    return _following(part_way(ahead, behind, 0.5), most)


def _following(turns: np.ndarray, most: float) -> np.ndarray:
    """Each goes from the one before towards its own, by `most` at the farthest."""
    found = turns.copy()
    most *= 1 - 1e-6  # rounding is within the bound
    for frame in np.flatnonzero(steps(turns) > most):
        frame += 1
        while frame < len(found):
            step = Rotation.from_matrix(found[frame - 1].T @ turns[frame])
            angle = step.magnitude()
            if angle <= most:
                if np.array_equal(found[frame], turns[frame]):
                    break
                found[frame] = turns[frame]
                frame += 1
                continue
            part = Rotation.from_rotvec(step.as_rotvec() * (most / angle)).as_matrix()
            found[frame] = found[frame - 1] @ part
            frame += 1
    return found
