"""Where codes lie among each other: nearest neighbours, and a map of two principal components.

Shape letters: K codes, D width of their vectors.
"""

import numpy as np

NEAREST = 6


def nearest_codes(vectors: np.ndarray, count: int = NEAREST) -> list[list[tuple[int, float]]]:
    """(code, Euclidean distance) of the nearest other codes of vectors (K, D), nearest first."""
    rows = vectors.astype(np.float64)
    squares = (rows**2).sum(1)
    distances = np.sqrt(np.maximum(squares[:, None] + squares[None] - 2 * rows @ rows.T, 0))
    np.fill_diagonal(distances, np.inf)
    order = np.argsort(distances, axis=1, kind="stable")[:, : min(count, len(rows) - 1)]
    return [[(int(j), float(distances[i, j])) for j in row] for i, row in enumerate(order)]


def principal_map(vectors: np.ndarray, used: np.ndarray) -> tuple[np.ndarray, tuple[float, float]]:
    """Coordinates (K, 2) of vectors (K, D), and the share of the variance that each axis holds.

    The axes are those of the used codes: where a dead code was left says nothing of motion.

    Args:
        used: (K,) bool; where fewer than three are, all count as used.
    """
    rows = vectors.astype(np.float64)
    basis = rows[used] if used.sum() > 2 else rows
    mean = basis.mean(0)
    _, lengths, axes = np.linalg.svd(basis - mean, full_matrices=False)
    axes, lengths = axes[:2], lengths**2
    # A component has no sign of its own: its largest part is positive, so that maps are the same.
    largest = np.abs(axes).argmax(1)
    axes = axes * np.where(axes[np.arange(len(axes)), largest] < 0, -1.0, 1.0)[:, None]
    found = np.zeros((len(rows), 2))
    found[:, : len(axes)] = (rows - mean) @ axes.T
    shares = np.append(lengths[:2], [0.0, 0.0])[:2] / max(lengths.sum(), 1e-12)
    return found, (float(shares[0]), float(shares[1]))
