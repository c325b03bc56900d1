"""Requests as rows of tokens of which some are given, and decoded rows as whole motions again.

Shapes: T frames, F features, n tokens, Q codebooks.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from motiongpt.codecs.residual_vq.quantizer import NO_CODE
from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.errors import UserError
from motiongpt.methods.base import MotionFormat, Request
from motiongpt.methods.motiongpt.joining import continued, filled, first_tokens, last_tokens


@dataclass(frozen=True)
class Canvas:
    """One request in tokens.

    Attributes:
        request: in frames.
        frames: T of the whole motion.
        known: (n, Q) int64 codes that are given, `NO_CODE` elsewhere.
        start, end: how many tokens are given at each end.
    """

    request: Request
    frames: int
    known: np.ndarray
    start: int
    end: int

    def motion(self, decoded: np.ndarray, format: MotionFormat, rate: int) -> np.ndarray:
        """The whole motion (T, F) from that of all tokens; given frames are as they were given."""
        request = self.request
        if request.start is None and request.end is None:
            return decoded[: self.frames]
        fps, skeleton = format.fps, format.skeleton
        first, last = rate * self.start, len(decoded) - rate * self.end
        start = _rows(request.start, decoded)
        if request.end is None:
            return continued(start, decoded, first, self.frames, fps, skeleton)
        return filled(
            start,
            request.end,
            decoded,
            first,
            last,
            self.frames,
            fps,
            skeleton,
            request.place,
            request.heading,
        )


def canvases(
    requests: Sequence[Request],
    lengths: Sequence[int],
    codec: TrainedTokenizer,
    format: MotionFormat,
) -> list[Canvas]:
    """Requests in tokens; what is given is encoded in one go.

    Args:
        lengths: frames of each whole motion.

    Raises:
        UserError: a completion of which nothing is given or nothing is missing.
    """
    rate, skeleton = codec.frames_per_token, format.skeleton
    parts: list[np.ndarray] = []
    for request, frames in zip(requests, lengths, strict=True):
        given = len(_rows(request.start)) + len(_rows(request.end))
        if (request.start is not None or request.end is not None) and not 0 < given < frames:
            raise UserError(
                f"clip {request.clip}: {given} of {frames} frames are given; give some and ask for "
                "more than these"
            )
        if request.start is not None:
            parts.append(last_tokens(request.start, rate, skeleton))
        if request.end is not None:
            parts.append(first_tokens(request.end, rate, skeleton))
    codes = iter(codec.encode(parts) if parts else ())
    made = []
    for request, frames in zip(requests, lengths, strict=True):
        start = next(codes) if request.start is not None else _nothing(0, codec)
        end = next(codes) if request.end is not None else _nothing(0, codec)
        given = len(_rows(request.start)) + len(_rows(request.end))
        gap = _nothing(-(-(frames - given) // rate), codec)
        known = np.concatenate([start, gap, end])
        made.append(Canvas(request, frames, known, len(start), len(end)))
    return made


def _nothing(tokens: int, codec: TrainedTokenizer) -> np.ndarray:
    return np.full((tokens, codec.codebooks), NO_CODE, np.int64)


def _rows(given: np.ndarray | None, like: np.ndarray | None = None) -> np.ndarray:
    if given is not None:
        return given
    return np.zeros((0, 0 if like is None else like.shape[1]), np.float32)
