"""Frames that a request gives: where they stand in its motion, and what is done with them.

Shapes: T frames, F features.
"""

import numpy as np
import torch

from motiongpt.errors import UserError
from motiongpt.methods.asked_length import given_frames
from motiongpt.methods.base import Request
from motiongpt.motion.anchor import arrive_at


def check_given(request: Request, n_features: int) -> None:
    """Refuse frames of which no motion can be made.

    Raises:
        UserError: none are given, they are of another width, or not finite; or an end is given
            without a length.
    """
    if not given_frames(request):
        raise UserError(f"{_name(request)}: no frames are given; give a start, an end or both")
    for which, rows in (("start", request.start), ("end", request.end)):
        if rows is None:
            continue
        if rows.ndim != 2 or rows.shape[1] != n_features or not np.isfinite(rows).all():
            raise UserError(
                f"{_name(request)}: {which} of shape {rows.shape}; expected (frames, {n_features}) "
                "finite features"
            )
    if request.frames is None and request.end is not None and len(request.end):
        raise UserError(f"{_name(request)}: an end is given; say how many frames it all has")


def placed(request: Request, frames: int, n_features: int) -> tuple[np.ndarray, np.ndarray]:
    """Raw features (frames, F) with what is given in its place, and (frames,) bool where that is.

    Raises:
        UserError: more frames are given than asked for.
    """
    if given_frames(request) > frames:
        raise UserError(
            f"{_name(request)}: {frames} frames, of which {given_frames(request)} given"
        )
    motion, kept = np.zeros((frames, n_features), np.float32), np.zeros(frames, bool)
    if request.start is not None:
        motion[: len(request.start)], kept[: len(request.start)] = request.start, True
    if request.end is not None and len(request.end):
        motion[-len(request.end) :], kept[-len(request.end) :] = request.end, True
    return motion, kept


def finished(request: Request, motion: np.ndarray) -> np.ndarray:
    """The motion (T, F) with the given frames as they were given.

    Where it is known where the end stands, the root's path between leads there.
    """
    given, kept = placed(request, *motion.shape)
    whole = np.where(kept[:, None], given, motion).astype(np.float32)
    ends = 0 if request.end is None else len(request.end)
    if not ends or request.place is None or request.heading is None or kept.all():
        return whole
    starts = 0 if request.start is None else len(request.start)
    features = torch.from_numpy(whole)
    return arrive_at(features, starts, len(whole) - ends, request.heading, request.place).numpy()


def _name(request: Request) -> str:
    return f"{request.task} of {request.clip}"
