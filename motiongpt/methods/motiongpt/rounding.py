"""From requests in frames to queries in tokens, and from decoded tokens back to frames.

A token stands for several frames, and a request knows nothing of that: lengths are rounded up and
cut afterwards, parts that are given are shown as whole tokens that end (or begin) at the gap.
Shape letters: T frames, F features, L tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from motiongpt.methods.base import Request
from motiongpt.methods.motiongpt.joining import (
    continued,
    filled,
    first_tokens,
    last_tokens,
    whole_tokens,
)
from motiongpt.methods.motiongpt.tasks.clip_tokens import Codes
from motiongpt.methods.motiongpt.tasks.query import Query
from motiongpt.motion.skeleton import Skeleton


@dataclass(frozen=True)
class Format:
    """What tokens and frames of a model are.

    Attributes:
        rate: frames that one token stands for.
        fps: frames per second.
        skeleton: of the features.
    """

    rate: int
    fps: float
    skeleton: Skeleton


class Rounded:
    """One request in tokens.

    Args:
        request: in frames.
        format: of the model.
    """

    def __init__(self, request: Request, format: Format) -> None:
        self.request, self.format = request, format
        self.query = Query(format.fps, format.rate, text=request.text or "")

    @property
    def is_completion(self) -> bool:
        """Whether a part of the motion is given."""
        return self.request.start is not None or self.request.end is not None

    def parts(self) -> list[np.ndarray]:
        """Features (T, F) that must be encoded, each of whole tokens."""
        request, rate, skeleton = self.request, self.format.rate, self.format.skeleton
        found = []
        if request.motion is not None:
            found.append(whole_tokens(request.motion, rate, skeleton))
        if request.start is not None:
            found.append(last_tokens(request.start, rate, skeleton))
        if request.end is not None:
            found.append(first_tokens(request.end, rate, skeleton))
        return found

    def take(self, codes: Sequence[Codes]) -> None:
        """Make the query of the codes of `parts`, in their order."""
        request, rate = self.request, self.format.rate
        rest = list(codes)
        motion = None if request.motion is None else rest.pop(0)
        start = None if request.start is None else rest.pop(0)
        end = None if request.end is None else rest.pop(0)
        frames = request.frames
        if start is None and end is None:
            frames = len(request.motion) if request.motion is not None else _up(frames, rate)
        elif frames is not None:
            given = len(_rows(request.start)) + len(_rows(request.end))
            gap = -(-(frames - given) // rate)
            frames = rate * (_count(start) + gap + _count(end))
        self.query = Query(
            self.format.fps,
            rate,
            text=request.text or "",
            frames=frames,
            motion=motion,
            start=start,
            end=end,
        )

    def motion(self, decoded: np.ndarray) -> np.ndarray:
        """Features (T, F) of the whole motion from those (T', F) of all its tokens."""
        request, rate = self.request, self.format.rate
        start, end = request.start, request.end
        if not self.is_completion:
            return decoded[: request.frames or request.max_frames]
        first = rate * len(self.query.given_start)
        if end is None:
            return self._continued(decoded, first)
        frames = request.frames or len(decoded)
        last = len(decoded) - rate * len(self.query.given_end)
        return filled(
            _rows(start, decoded),
            end,
            decoded,
            first,
            last,
            frames,
            self.format.fps,
            self.format.skeleton,
            request.place,
            request.heading,
        )

    def _continued(self, decoded: np.ndarray, first: int) -> np.ndarray:
        start = _rows(self.request.start, decoded)
        frames = self.request.frames or len(start) + len(decoded) - first
        return continued(start, decoded, first, frames, self.format.fps, self.format.skeleton)


def _up(frames: int | None, rate: int) -> int | None:
    return None if frames is None else -(-frames // rate) * rate


def _count(codes: Codes | None) -> int:
    return 0 if codes is None else len(codes)


def _rows(given: np.ndarray | None, like: np.ndarray | None = None) -> np.ndarray:
    if given is not None:
        return given
    return np.zeros((0, 0 if like is None else like.shape[1]), np.float32)
