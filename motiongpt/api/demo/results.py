"""Files of the outputs of lines, called as MotionGPT's demo calls them.

ID_in.txt what the model read, ID_out.txt its output, ID_in.npy and ID_out.npy joints (T, J, 3)
in metres, with T = 0 where there is no motion.
"""

from pathlib import Path

import numpy as np

from motiongpt.api.demo.batch import Outcome
from motiongpt.api.motion import Motion
from motiongpt.files import save_array, write_text
from motiongpt.motion.skeleton import Skeleton

PICTURES = ("webp", "gif")
_LEFT = ("txt", "npy", "bvh", "png", *PICTURES)


def write_outcome(
    folder: Path,
    number: int,
    outcome: Outcome,
    skeleton: Skeleton,
    pictures: str | None = None,
    bvh: bool = False,
    clean: str = "",
) -> None:
    """Write the files of one line, each whole or not at all.

    What an earlier call left of this line is removed, so that no old output stands beside a new
    request. A line without an output leaves nothing.

    Args:
        number: the line's ID.
        pictures: ending of the animation, one of `PICTURES`, beside which a strip of poses is
            drawn; None for neither.
        bvh: write the output as BVH too.
        clean: steps of `Motion.clean` before it is drawn or written as BVH, as "feet,smooth"; the
            .npy file stays what was generated.
    """
    for side in ("in", "out"):
        for ending in _LEFT:
            (folder / f"{number}_{side}.{ending}").unlink(missing_ok=True)
    if outcome.problem:
        return
    sides = {"in": (outcome.given, outcome.prompt), "out": (outcome.motion, outcome.text)}
    for side, (motion, text) in sides.items():
        name = f"{number}_{side}"
        write_text(folder / f"{name}.txt", text + "\n")
        empty = np.zeros((0, skeleton.n_joints, 3), np.float32)
        save_array(folder / f"{name}.npy", empty if motion is None else motion.joints)
    if pictures is not None:
        _draw(folder, number, outcome, pictures, clean)
    if bvh and outcome.motion is not None:
        outcome.motion.save(folder / f"{number}_out.bvh", clean=clean)


def _draw(folder: Path, number: int, outcome: Outcome, ending: str, clean: str) -> None:
    """The output; of a sentence the motion that it is about, with the sentence above it."""
    side, motion, words = "out", outcome.motion, outcome.line.words if outcome.line else ""
    if motion is None:
        side, motion, words = "in", outcome.given, outcome.text
    if motion is None:
        return
    said = Motion(
        motion.joints, motion.fps, (words,), motion.skeleton, motion.given, motion.features
    )
    said.save(folder / f"{number}_{side}.{ending}", clean=clean)
    said.save(folder / f"{number}_{side}.png", clean=clean)
