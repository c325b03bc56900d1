"""Windows of motion as a batch of which the host knows everything that the device needs to."""

from collections.abc import Sequence
from functools import partial
from typing import NotRequired, TypedDict

import numpy as np
import torch
from torch import Tensor

from motiongpt.codecs.masking import content_positions
from motiongpt.data.store import MotionStore
from motiongpt.data.windows import Window, collate_windows
from motiongpt.errors import UserError


class WindowBatch(TypedDict):
    """Batch of the tokenizer stage; B windows of W frames with F features.

    Keys:
        features: (B, W, F) float32, normalised.
        lengths: (B,) int64 frames with content; None where all windows are full, for which a
            network needs no masks.
        token_positions: (N,) int64, the tokens with content in the flattened (B, L) ones; None as
            above, or where the device shall find them.
    """

    features: Tensor
    lengths: Tensor | None
    token_positions: NotRequired[Tensor | None]


def collate_whole_windows(windows: Sequence[Window], frames_per_token: int) -> WindowBatch:
    """`collate_windows`, and where the tokens are."""
    batch = collate_windows(windows)
    features, lengths = batch["features"], batch["lengths"]
    frames = features.shape[1]
    if bool((lengths == frames).all()):
        return {"features": features, "lengths": None, "token_positions": None}
    tokens = torch.div(lengths, frames_per_token, rounding_mode="floor")
    positions = content_positions(tokens, frames // frames_per_token)
    return {"features": features, "lengths": lengths, "token_positions": positions}


def window_collator(frames_per_token: int) -> partial[WindowBatch]:
    """`collate_whole_windows` for one tokenizer; can be sent to worker processes."""
    return partial(collate_whole_windows, frames_per_token=frames_per_token)


def check_tokens(store: MotionStore, clips: np.ndarray, frames_per_token: int) -> None:
    """Refuse clips (N,) of a store that have no token.

    Raises:
        UserError: names the first.
    """
    short = clips[store.lengths[clips] < frames_per_token]
    if len(short):
        index = int(short[0])
        raise UserError(
            f"clip {store.names[index]}: {store.lengths[index]} frames, less than one token "
            f"({frames_per_token} frames); prepare with data.store.min_frames={frames_per_token}"
        )
