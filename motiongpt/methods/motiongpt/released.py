"""What MotionGPT's released evaluation does to requests (A6 and A8 of the audit).

Shape letters: T frames, F features.
"""

from collections.abc import Sequence

import numpy as np

from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.methods.base import Request
from motiongpt.methods.motiongpt.rounding import Format, Rounded
from motiongpt.methods.motiongpt.tasks.clip_tokens import Codes
from motiongpt.methods.motiongpt.tasks.query import Query

BATCH_SIZE = 32  # of MotionGPT's evaluation; decides how far a clip is padded
PREDICTION_SHARE, INBETWEEN_SHARE = 0.2, 0.25  # of a clip that is given


class SeenWhole(Rounded):
    """A completion whose given tokens are cut out of those of the whole clip (A8)."""

    def __init__(self, request: Request, format: Format) -> None:
        super().__init__(request, format)
        self.whole = np.zeros(0, np.int64)

    def parts(self) -> list[np.ndarray]:
        """The whole clip."""
        assert self.request.motion is not None
        return [self.request.motion]

    def take(self, codes: Sequence[Codes]) -> None:
        """Cut the given parts out of the tokens of the whole clip."""
        (whole,) = codes
        request, rate = self.request, self.format.rate
        assert request.motion is not None
        frames = len(request.motion)
        if request.end is None:
            start, end = whole[: int(frames * PREDICTION_SHARE / rate)], None
        else:
            start = whole[: int(frames * INBETWEEN_SHARE / rate)]
            end = whole[int(frames * (1 - INBETWEEN_SHARE) / rate) :]
        self.query = Query(
            self.format.fps, rate, text=request.text or "", frames=frames, start=start, end=end
        )

    def motion(self, decoded: np.ndarray) -> np.ndarray:
        """What was decoded, given frames in their place; its tokens begin with the clip."""
        start = self.request.start if self.request.start is not None else decoded[:0]
        if self.request.end is None:
            return np.concatenate([start, decoded[len(start) : self.request.frames]])
        last = len(decoded) - len(self.request.end)
        return np.concatenate([start, decoded[len(start) : last], self.request.end])


def encode_padded(
    tokenizer: TrainedTokenizer, clips: Sequence[np.ndarray], shown: bool
) -> list[Codes]:
    """Codes of clips padded with the mean pose (zeros when the codec has normalised them), in
    batches in the order of their lengths, as MotionGPT's loader has them.

    Args:
        clips: (T, F) features each.
        shown: whether the codes of the padding are kept.
    """
    rate = tokenizer.frames_per_token
    order = sorted(range(len(clips)), key=lambda index: len(clips[index]))
    found: dict[int, Codes] = {}
    for first in range(0, len(order), BATCH_SIZE):
        batch = order[first : first + BATCH_SIZE]
        longest = max(len(clips[index]) for index in batch)
        rows = [
            np.concatenate(
                [clips[i], np.repeat(tokenizer.mean[None], longest - len(clips[i]), axis=0)]
            )
            for i in batch
        ]
        for index, codes in zip(batch, tokenizer.encode(rows), strict=True):
            found[index] = codes if shown else codes[: len(clips[index]) // rate]
    return [found[index] for index in range(len(clips))]
