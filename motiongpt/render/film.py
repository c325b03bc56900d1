"""Motions side by side: as moving pictures, or each whole in one.

Shape letters: T frames, J joints.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from motiongpt.bodies.free_body import FreeBody
from motiongpt.errors import UserError
from motiongpt.render.figure import BACKGROUND, Colour
from motiongpt.render.scene import Scene, film_colours
from motiongpt.render.shown import Shown

COLUMNS = 4
"""Motions in a row; more begin another."""
PALEST = 0.78
"""Of the background in the first pose of a sequence."""
WIDE = 1.6
"""Width of a sequence's picture over its height."""


@dataclass(frozen=True)
class Film:
    """Pictures of one size, one after the other."""

    pictures: Iterator[Image.Image]
    size: tuple[int, int]
    fps: float
    colours: Sequence[Colour]


def film_of(motions: Sequence[Shown], size: int, body: FreeBody | None = None) -> Film:
    """Motions that move side by side, each in `size` pixels squared, at the first one's frame rate.

    One that ends before the others stays as it ended.

    Raises:
        UserError: as `Scene`.
    """
    fps = motions[0].motion.fps
    scenes = _scenes([_at(one, fps) for one in motions], (size, size), body)
    sheet = _sheet_size(len(scenes), (size, size))
    return Film(_together(scenes, sheet), sheet, fps, film_colours(scenes[0].look))


def sequence_of(
    motions: Sequence[Shown], size: int, poses: int, body: FreeBody | None = None
) -> Image.Image:
    """Each motion whole in one picture: poses along its way, evenly in time, that fade in.

    Args:
        size: height of a picture in pixels.
        poses: how many, at most.

    Raises:
        UserError: fewer than one pose, or as `Scene`.
    """
    if poses < 1:
        raise UserError(f"poses={poses}: ask for at least one")
    cell = (round(WIDE * size), size)
    scenes = _scenes(motions, cell, body, fixed=True)
    sheet = Image.new("RGB", _sheet_size(len(scenes), cell), BACKGROUND)
    for index, scene in enumerate(scenes):
        chosen = np.linspace(0, scene.frames - 1, min(poses, scene.frames)).round().astype(int)
        sheet.paste(scene.sequence(chosen.tolist(), PALEST), _corner(index, cell))
    return sheet


def _at(shown: Shown, fps: float) -> Shown:
    """At another frame rate, with the given frames where they were."""
    motion = shown.motion.at(fps)
    if motion is shown.motion or shown.given is None:
        return replace(shown, motion=motion)
    share = fps / shown.motion.fps
    ends = [(round(first * share), round(last * share)) for first, last in shown.given_runs()]
    given = [(first, min(last, motion.frames)) for first, last in ends if first < last]
    return replace(shown, motion=motion, given=given)


def _scenes(
    motions: Sequence[Shown],
    size: tuple[int, int],
    body: FreeBody | None,
    fixed: bool = False,
) -> list[Scene]:
    everyone = [one.motion.joints.astype(np.float64) for one in motions]
    return [
        Scene(one, size, body, everyone[:index] + everyone[index + 1 :], fixed)
        for index, one in enumerate(motions)
    ]


def _together(scenes: Sequence[Scene], size: tuple[int, int]) -> Iterator[Image.Image]:
    if len(scenes) == 1:
        yield from scenes[0].pictures()
        return
    running = [scene.pictures() for scene in scenes]
    sheet = Image.new("RGB", size, BACKGROUND)
    for _ in range(max(scene.frames for scene in scenes)):
        for index, pictures in enumerate(running):
            picture = next(pictures, None)
            if picture is not None:
                sheet.paste(picture, _corner(index, scenes[0].size))
        yield sheet.copy()


def _sheet_size(count: int, cell: tuple[int, int]) -> tuple[int, int]:
    return min(count, COLUMNS) * cell[0], -(-count // COLUMNS) * cell[1]


def _corner(index: int, cell: tuple[int, int]) -> tuple[int, int]:
    row, column = divmod(index, COLUMNS)
    return column * cell[0], row * cell[1]
