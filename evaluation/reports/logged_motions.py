"""Films and scenes of some clips for experiment loggers, generated beside real."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from evaluation.case import Case
from evaluation.replications.results import MODEL, REAL
from evaluation.reports.chosen_clips import varied
from motiongpt.motion.sequence import MotionSequence
from motiongpt.motion.skeleton import HUMANML3D, Skeleton
from motiongpt.training.shown import ShownFile, anyone_shows, show_files

if TYPE_CHECKING:
    from lightning.pytorch.loggers import Logger

FILMS = 4
"""Clips of a task: the first of as many actions, the same ones in every run of a protocol."""
LONGEST = 200  # frames of a clip that are drawn
SIZE = 240  # pixels
MEDIA = "media"


def log_motions(
    loggers: Sequence[Logger],
    folder: Path,
    shown: Mapping[str, Mapping[str, Sequence[Case]]],
    skeleton: Skeleton,
    fps: float,
) -> None:
    """Write `media/*.mp4` and `.glb` below `folder` and show them, if a logger shows any.

    A film has the real clip on the left and the method's on the right; a scene is the method's
    motion on the free body, for HumanML3D's skeleton.

    Args:
        shown: task -> row -> cases, all rows over the same clips.
    """
    if not anyone_shows(loggers):
        return
    from motiongpt.export.formats.pictures import Mp4  # these load what draws
    from motiongpt.export.saving import save_motion
    from motiongpt.render.shown import Shown

    for task, by_row in shown.items():
        pairs = [
            (by_row[MODEL][index], by_row[REAL][index])
            for index in varied(by_row[MODEL], len(by_row[MODEL]))
            if len(by_row[MODEL][index].joints)
        ][:FILMS]
        films, scenes = [], []
        for number, (model, real) in enumerate(pairs):
            path = Path(folder) / MEDIA / f"{task}-{number}"
            caption = model.captions[0] if model.captions else model.name
            made = _motion(model, caption, skeleton, fps)
            both = [Shown(_motion(real, caption, skeleton, fps), REAL, caption="")]
            Mp4(size=SIZE).write_together([*both, Shown(made, MODEL)], path.with_suffix(".mp4"))
            films.append(ShownFile(path.with_suffix(".mp4"), caption))
            if skeleton.name == HUMANML3D.name:
                scenes.append(ShownFile(save_motion(made, path.with_suffix(".glb")), caption))
        show_files(loggers, f"{task}/motions", films)
        show_files(loggers, f"{task}/scenes", scenes)


def _motion(case: Case, caption: str, skeleton: Skeleton, fps: float) -> MotionSequence:
    joints = case.joints[:LONGEST]
    given = np.zeros(len(joints), bool)
    given[: len(case.given)] = case.given[: len(joints)]
    return MotionSequence(joints, fps, [caption], skeleton, given)
