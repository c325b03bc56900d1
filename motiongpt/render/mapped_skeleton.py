"""A mapped skeleton over the skeleton of its file: a picture in which a wrong joint is seen.

Shape letters: J joints of the file.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from motiongpt.files import save_with
from motiongpt.motion.skeleton import HUMANML3D
from motiongpt.render.figure import BODY_COLOUR, LEFT_COLOUR, RIGHT_COLOUR, Colour

_VIEWS = (("from the front", 0), ("from the side", 2))  # axis that goes across the picture
FILE_COLOUR = "#b8bfc9"
ROOM_FOR_NAMES = 0.75  # metres at each side of the body


def draw_mapped(
    file_joints: np.ndarray,
    file_parents: Sequence[int],
    joints: np.ndarray,
    sources: Mapping[str, Sequence[str]],
    path: Path,
    title: str,
) -> None:
    """Write a PNG of one pose from two sides, turned so that the body faces us in the first.

    Args:
        file_joints: (J, 3) metres, Y up: all joints of the file, drawn grey.
        file_parents: index of each one's parent, -1 for the root.
        joints: (22, 3) of the same pose by the mapping: left blue, right orange.
        sources: target joint -> names in the file, written beside it.
        title: above the picture.
    """
    turned = _facing_us(joints)
    file_joints, joints = file_joints @ turned, joints @ turned
    figure = Figure(figsize=(15, 9), layout="constrained", dpi=100)
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, 2, sharey=True, width_ratios=(3, 1))
    for panel, (name, axis) in zip(panels, _VIEWS, strict=True):
        _bones(panel, file_joints[:, [axis, 1]], file_parents)
        _body(panel, joints[:, [axis, 1]])
        panel.set_title(name, fontsize=11)
        panel.set_aspect("equal")
        panel.set_xlabel("metres")
    middle = float(np.median(joints[:, 0]))
    reach = float(np.abs(joints[:, 0] - middle).max()) + ROOM_FOR_NAMES
    panels[0].set_xlim(middle - reach, middle + reach)
    _labels(panels[0], joints, sources)
    figure.suptitle(f"{title}\ngrey: the file; blue: left, orange: right, black: middle")
    save_with(Path(path), lambda file: figure.savefig(file, format="png"), suffix=".png")


def _facing_us(joints: np.ndarray) -> np.ndarray:
    """(3, 3) that turns rows about Y so that the left hip lies at +X of the right one."""
    names = HUMANML3D.joint_names
    across = joints[names.index("left_hip")] - joints[names.index("right_hip")]
    x, z = across[[0, 2]] / max(float(np.hypot(across[0], across[2])), 1e-9)
    return np.array([[x, 0.0, -z], [0.0, 1.0, 0.0], [z, 0.0, x]])


def _bones(panel: Axes, points: np.ndarray, parents: Sequence[int]) -> None:
    for child, parent in enumerate(parents):
        if parent >= 0:
            panel.plot(*points[[parent, child]].T, color=FILE_COLOUR, linewidth=5, zorder=1)
    panel.scatter(points[:, 0], points[:, 1], s=18, color=FILE_COLOUR, zorder=1)


def _body(panel: Axes, points: np.ndarray) -> None:
    for child, parent in enumerate(HUMANML3D.parents):
        colour = _colour(HUMANML3D.joint_names[child])
        if parent >= 0:
            panel.plot(*points[[parent, child]].T, color=colour, linewidth=1.5, zorder=2)
        panel.scatter(points[child, 0], points[child, 1], s=22, color=[colour], zorder=3)


def _labels(panel: Axes, joints: np.ndarray, sources: Mapping[str, Sequence[str]]) -> None:
    """Names in two columns at the sides, spread so that none covers another."""
    left, right = float(joints[:, 0].min()) - 0.12, float(joints[:, 0].max()) + 0.12
    centre = float(np.median(joints[:, 0]))
    columns: dict[bool, list[int]] = {True: [], False: []}
    for index, name in enumerate(HUMANML3D.joint_names):
        middle = not name.startswith(("left_", "right_"))
        of_right = joints[index, 0] > centre if not middle else index % 2 == 0
        columns[bool(of_right)].append(index)
    low, high = float(joints[:, 1].min()), float(joints[:, 1].max())
    for of_right, indices in columns.items():
        ordered = sorted(indices, key=lambda index: float(joints[index, 1]))
        heights = np.linspace(low, high, len(ordered)) if len(ordered) > 1 else [low]
        for index, height in zip(ordered, heights, strict=True):
            name = HUMANML3D.joint_names[index]
            panel.annotate(
                f"{name}: {' + '.join(dict.fromkeys(sources[name]))}",
                xy=(joints[index, 0], joints[index, 1]),
                xytext=(right if of_right else left, height),
                ha="left" if of_right else "right",
                va="center",
                fontsize=8,
                color=_colour(name),
                arrowprops={"arrowstyle": "-", "color": "#d5d9df", "linewidth": 0.6},
                zorder=4,
            )


def _colour(name: str) -> tuple[float, float, float]:
    colour: Colour = BODY_COLOUR
    if name.startswith("left_"):
        colour = LEFT_COLOUR
    elif name.startswith("right_"):
        colour = RIGHT_COLOUR
    red, green, blue = (part / 255 for part in colour)
    return red, green, blue
