"""What a codec's training step needs of the machine: operations, padding not counted."""

import copy
from weakref import WeakKeyDictionary

import torch
from torch.utils.flop_counter import FlopCounterMode

from motiongpt.codecs.base import Codec
from motiongpt.training.step_cost import FORWARD_AND_BACKWARD

FRAMES_COUNTED = 64

_per_frame: WeakKeyDictionary[Codec, float] = WeakKeyDictionary()


def codec_flops(codec: Codec, frames: int) -> float:
    """Operations of a training step on `frames` frames.

    Counted once, on one clip of 64 frames or the longest there is, and taken for proportional:
    convolutions at several rates have no formula.
    """
    if codec not in _per_frame:
        counted = codec.longest or FRAMES_COUNTED
        _per_frame[codec] = _counted(codec, counted) / counted
    return FORWARD_AND_BACKWARD * _per_frame[codec] * frames


def _counted(codec: Codec, frames: int) -> float:
    """Operations of one reconstruction of a clip of `frames` frames."""
    copied = copy.deepcopy(codec).cpu().float().eval()  # without what torch.compile has made
    # With gradients, for without them torch's transformers are one operation that isn't counted.
    with torch.enable_grad(), FlopCounterMode(display=False) as counter:
        copied.reconstruct(torch.zeros(1, frames, codec.n_features))
    return float(counter.get_total_flops())
