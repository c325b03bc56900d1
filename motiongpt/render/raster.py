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
        corners = faces.ravel()
        owners = np.repeat(np.arange(len(faces)), 3)
        ones = np.ones(len(corners), np.float32)
        self._around = csr_matrix((ones, (corners, owners)), shape=(vertices, len(faces)))

    def shades(self, vertices: np.ndarray) -> np.ndarray:
        """Light (F,) that falls on the faces of vertices (V, 3)."""
        one, two, three = (vertices[self.faces[:, corner]] for corner in range(3))
        normals = self._around @ np.cross(two - one, three - one)
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
        above = 0.5 + 0.5 * normals[:, 1]
        light = GROUND + (SKY - GROUND) * above + DIRECT * np.maximum(normals @ SUN, 0.0)
        return light[self.faces].mean(1)

    def covered(
        self, pixels: np.ndarray, nearness: np.ndarray, size: tuple[int, int]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Which pixels the mesh covers, and which face is in front there.

        Args:
            pixels: (V, 2) right and down from the picture's corner.
            nearness: (V,) larger is nearer.
            size: width and height of the picture.

        Returns:
            Flat indices of pixels, row by row, and the face of each.
        """
        facing = self._facing(pixels)
        order = np.argsort(nearness[self.faces[facing]].sum(1), kind="stable")
        faces = facing[order]
        which, x, y = _tried(pixels[self.faces[faces]], size)
        inside = _inside(pixels[self.faces[faces]], which, x, y)
        front = np.full(size[0] * size[1], -1, np.int32)
        front[(y * size[0] + x)[inside]] = faces[which[inside]]  # the last, nearest one stays
        places = np.flatnonzero(front >= 0)
        return places, front[places]

    def _facing(self, pixels: np.ndarray) -> np.ndarray:
        one, two, three = (pixels[self.faces[:, corner]] for corner in range(3))
        return np.flatnonzero(_cross(two - one, three - one) < -SMALLEST)  # y is down


def _tried(corners: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(N,) triangle, column and row of each pixel in a rectangle around triangles (F, 3, 2)."""
    most = np.array(size) - 1
    low = np.clip(np.ceil(corners.min(1) - 0.5), 0, most + 1).astype(np.int32)
    high = np.clip(np.floor(corners.max(1) - 0.5), -1, most).astype(np.int32)
    width, height = np.maximum(high - low + 1, 0).T
    counts = width * height
    which = np.repeat(np.arange(len(corners), dtype=np.int32), counts)
    starts = np.cumsum(counts) - counts
    within = np.arange(len(which), dtype=np.int32) - starts.astype(np.int32)[which]
    rows, columns = np.divmod(within, np.maximum(width, 1)[which])
    return which, low[which, 0] + columns, low[which, 1] + rows


def _inside(corners: np.ndarray, which: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(N,) whether a pixel's centre lies in its triangle."""
    found = np.ones(len(which), bool)
    px, py = (x + 0.5).astype(np.float32), (y + 0.5).astype(np.float32)
    for corner in range(3):
        start, end = corners[:, corner], corners[:, (corner + 1) % 3]
        along = (end - start).astype(np.float32)
        offset = (along[:, 0] * start[:, 1] - along[:, 1] * start[:, 0]).astype(np.float32)
        found &= along[which, 0] * py - along[which, 1] * px <= offset[which]
    return found


def _cross(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]
