"""A mesh to pixels by numpy: far triangles first, each shaded by the mean of its corners' normals.

Made for meshes whose triangles are small in the picture: each tries the pixels of the rectangle
around it. Shape letters: V vertices, F faces, N pixels that are tried.
"""

import numpy as np
from scipy.sparse import csr_matrix

SUN = np.array([0.36, 0.80, 0.48])
"""Unit direction to the light."""
SKY, GROUND, DIRECT = 0.66, 0.40, 0.50
"""Light from above, from below, and from the sun, as shares of a colour."""
SMALLEST = 1e-6
"""Square pixels; a smaller triangle covers nothing."""


class Mesh:
    """Triangles that are drawn many times.

    Attributes:
        faces: (F, 3) corners, anticlockwise seen from outside.
    """

    def __init__(self, faces: np.ndarray, vertices: int) -> None:
        self.faces = faces
        self._corners = np.ascontiguousarray(faces.T)
        corners = faces.ravel()
        owners = np.repeat(np.arange(len(faces)), 3)
        ones = np.ones(len(corners), np.float32)
        self._around = csr_matrix((ones, (corners, owners)), shape=(vertices, len(faces)))

    def shades(self, vertices: np.ndarray) -> np.ndarray:
        """Light (F,) that falls on the faces of vertices (V, 3)."""
        one, two, three = vertices[self._corners]
        normals = self._around @ np.cross(two - one, three - one)
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
        above = 0.5 + 0.5 * normals[:, 1]
        light = GROUND + (SKY - GROUND) * above + DIRECT * np.maximum(normals @ SUN, 0.0)
        return light[self._corners].mean(0)

    def in_front(
        self, pixels: np.ndarray, nearness: np.ndarray, size: tuple[int, int]
    ) -> tuple[tuple[int, int], np.ndarray]:
        """Which face is in front in each pixel of a rectangle around the mesh.

        Args:
            pixels: (V, 2) right and down from the picture's corner.
            nearness: (V,) larger is nearer.
            size: width and height of the picture; nothing beyond it is looked at.

        Returns:
            The rectangle's left and top, and faces (height, width), -1 where there is none; of no
            height where the mesh is outside.
        """
        low = np.clip(np.floor(pixels.min(0)), 0, size).astype(int)
        high = np.clip(np.ceil(pixels.max(0)), 0, size).astype(int)
        width, height = high - low
        here, near = (pixels - low).astype(np.float32), nearness.astype(np.float32)
        columns, rows = here[:, 0], here[:, 1]
        faces = self._facing(columns, rows)
        one, two, three = self.faces[faces].T
        faces = faces[np.argsort(near[one] + near[two] + near[three], kind="stable")]
        corners = self.faces[faces].T
        which, x, y = _tried(columns[corners], rows[corners], width, height)
        inside = _inside(columns[corners], rows[corners], which, x, y)
        front = np.full((height, width), -1, np.int32)
        front[y[inside], x[inside]] = faces[which[inside]]  # the last, nearest one stays
        return (int(low[0]), int(low[1])), front

    def _facing(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        one, two, three = self._corners
        areas = (x[two] - x[one]) * (y[three] - y[one]) - (y[two] - y[one]) * (x[three] - x[one])
        return np.flatnonzero(areas < -SMALLEST)  # y is down


def _tried(
    x: np.ndarray, y: np.ndarray, width: int, height: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(N,) triangle, column and row of each pixel in a rectangle around triangles (3, F)."""
    left, wide = _span(x, width)
    top, high = _span(y, height)
    counts = wide * high
    which = np.repeat(np.arange(len(counts)), counts)
    starts = np.cumsum(counts) - counts
    within = np.arange(len(which)) - starts[which]
    across = np.maximum(wide, 1)[which]
    rows = within // across
    return which, left[which] + within - rows * across, top[which] + rows


def _span(corners: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """First pixel (F,) whose centre can be between corners (3, F), and how many there are."""
    one, two, three = corners
    low = np.ceil(np.minimum(np.minimum(one, two), three) - 0.5)
    high = np.floor(np.maximum(np.maximum(one, two), three) - 0.5)
    first = np.clip(low, 0, size).astype(np.int64)
    return first, np.maximum(np.clip(high, -1, size - 1).astype(np.int64) - first + 1, 0)


def _inside(
    x: np.ndarray, y: np.ndarray, which: np.ndarray, columns: np.ndarray, rows: np.ndarray
) -> np.ndarray:
    """(N,) whether a pixel's centre lies in its triangle, whose corners are (3, F)."""
    found = np.ones(len(which), bool)
    px, py = columns.astype(np.float32) + 0.5, rows.astype(np.float32) + 0.5
    for corner in range(3):
        start, end = corner, (corner + 1) % 3
        right, down = x[end] - x[start], y[end] - y[start]
        offset = right * y[start] - down * x[start]
        found &= right[which] * py - down[which] * px <= offset[which]
    return found
