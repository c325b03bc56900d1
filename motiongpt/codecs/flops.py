"""What a codec's training step needs of the machine: operations, padding not counted."""

import copy
from weakref import WeakKeyDictionary

import torch
from torch.utils.flop_counter import FlopCounterMode

from motiongpt.codecs.base import DiscreteCodec
from motiongpt.training.work import FORWARD_AND_BACKWARD

FRAMES_COUNTED = 64

_per_frame: WeakKeyDictionary[DiscreteCodec, float] = WeakKeyDictionary()


def tokenizer_flops(tokenizer: DiscreteCodec, frames: int) -> float:
    """Counted once, on one clip: convolutions at several rates have no formula."""
    if tokenizer not in _per_frame:
        _per_frame[tokenizer] = _counted(tokenizer) / FRAMES_COUNTED
    return FORWARD_AND_BACKWARD * _per_frame[tokenizer] * frames


def _counted(tokenizer: DiscreteCodec) -> float:
    """Operations of one forward over a clip of FRAMES_COUNTED frames."""
    copied = copy.deepcopy(tokenizer).cpu().float().eval()  # without what torch.compile has made
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        copied(torch.zeros(1, FRAMES_COUNTED, tokenizer.n_features))
    return float(counter.get_total_flops())
