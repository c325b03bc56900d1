"""The floor: tiles of half a metre that fade out, and the path of the root on it."""

import numpy as np
from PIL import ImageDraw

from motiongpt.render.camera import FOCAL, Camera
from motiongpt.render.figure import BACKGROUND, Colour, blend

TILE_COLOUR: Colour = (222, 227, 234)
SHADOW_COLOUR: Colour = (188, 195, 206)
PATH_COLOUR: Colour = (150, 160, 175)
TILE = 0.28
"""Side of a tile over body height: about half a metre."""
REACH = 0.9
"""How far the floor reaches around the point looked at, over the width that the camera sees."""
SHADES = 4
"""Steps of fading: few, so that the picture compresses well."""


def draw_floor(
    canvas: ImageDraw.ImageDraw,
    camera: Camera,
    frame: int,
    height: float,
    zoom: int = 1,
) -> None:
    """Draw every second tile around the point looked at, fainter with the distance from it."""
    side, radius = TILE * height, REACH * camera.distance / FOCAL
    middle = camera.targets[min(frame, len(camera.targets) - 1)][[0, 2]]
    low = np.floor((middle - radius) / side).astype(int)
    count = int(np.ceil(2 * radius / side)) + 1
    columns, rows = np.meshgrid(np.arange(count) + low[0], np.arange(count) + low[1])
    tiles = np.stack((columns, rows), axis=-1)[(columns + rows) % 2 == 0]
    away = np.linalg.norm((tiles + 0.5) * side - middle, axis=-1) / radius
    tiles, away = tiles[away < 1], away[away < 1]
    square = np.array([(0, 0), (1, 0), (1, 1), (0, 1)])
    flat = (tiles[:, None] + square) * side
    corners = np.stack((flat[..., 0], np.full(flat.shape[:2], camera.floor), flat[..., 1]), axis=-1)
    pixels, _ = camera.project(corners, frame)
    for polygon, distance in zip((pixels * zoom).tolist(), away, strict=True):
        fading = np.floor(max(distance - 0.35, 0) / 0.65 * SHADES) / SHADES
        canvas.polygon(
            [tuple(corner) for corner in polygon],
            fill=blend(TILE_COLOUR, BACKGROUND, float(fading)),
        )


def draw_path(
    canvas: ImageDraw.ImageDraw,
    path: np.ndarray,
    camera: Camera,
    frame: int,
    colour: Colour = PATH_COLOUR,
    width: int = 2,
    zoom: int = 1,
) -> None:
    """Draw root positions (T, 3) as a line on the floor."""
    flat = path * [1.0, 0.0, 1.0] + [0.0, camera.floor, 0.0]
    pixels, _ = camera.project(flat, frame)
    points = [tuple(pixel) for pixel in (pixels * zoom).tolist()]
    if len(points) > 1:
        canvas.line(points, fill=colour, width=width * zoom, joint="curve")
