"""Clips as a batch of which the host knows how many frames have content."""

from collections.abc import Sequence
from typing import TypedDict

from torch import Tensor

from motiongpt.data.windows import Window, collate_windows


class ClipBatch(TypedDict):
    """Batch of a continuous codec's stage; B clips of at most T frames with F features.

    Keys:
        features: (B, T, F) float32, normalised, zero beyond a clip's end.
        lengths: (B,) int64 frames with content; T is the largest.
        frames: their sum.
    """

    features: Tensor
    lengths: Tensor
    frames: int


def collate_clips(windows: Sequence[Window]) -> ClipBatch:
    """`collate_windows`, without the frames that are padding in all of them."""
    batch = collate_windows(windows)
    lengths = batch["lengths"]
    longest, frames = int(lengths.max()), int(lengths.sum())
    return {"features": batch["features"][:, :longest], "lengths": lengths, "frames": frames}
