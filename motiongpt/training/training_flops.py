"""Floating-point operations of a training step: what the model needs, padding not counted."""

import copy
import math
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from motiongpt.backbones.base import Backbone
from motiongpt.tokenizers.base import MotionTokenizer

FORWARD_AND_BACKWARD = 3
"""Of a forward's operations: the backward needs as many again for the inputs and the weights."""
FRAMES_COUNTED = 64

_parameters: WeakKeyDictionary[Backbone, tuple[int, int, int]] = WeakKeyDictionary()
_per_frame: WeakKeyDictionary[MotionTokenizer, float] = WeakKeyDictionary()


def language_flops(backbone: Backbone, input_tokens: int, target_tokens: int) -> float:
    """6 x parameters x tokens (arXiv:2001.08361, section 2.1), the output embedding at labels only.

    The products of attention between tokens, below 5 % at some hundred tokens, are left out.
    """
    if backbone not in _parameters:
        _parameters[backbone] = _parameters_by_use(backbone.language_model)
    reading, writing, output = _parameters[backbone]
    used = reading * input_tokens + (writing + output) * target_tokens
    return 2.0 * FORWARD_AND_BACKWARD * used


def tokenizer_flops(tokenizer: MotionTokenizer, frames: int) -> float:
    """Counted once, on one clip: convolutions at several rates have no formula."""
    if tokenizer not in _per_frame:
        _per_frame[tokenizer] = _counted(tokenizer) / FRAMES_COUNTED
    return FORWARD_AND_BACKWARD * _per_frame[tokenizer] * frames


def _parameters_by_use(model: Any) -> tuple[int, int, int]:
    """Parameters that multiply an input token, a target token, a label."""
    output = math.prod(model.get_output_embeddings().weight.shape)
    if model.config.is_encoder_decoder:
        return _without_embeddings(model.encoder), _without_embeddings(model.decoder), output
    inner = _without_embeddings(model.transformer)
    return inner, inner, output


def _without_embeddings(module: nn.Module) -> int:
    tables = {
        id(parameter)
        for part in module.modules()
        if isinstance(part, nn.Embedding)
        for parameter in part.parameters()
    }
    return sum(p.numel() for p in module.parameters() if id(p) not in tables)


def _counted(tokenizer: MotionTokenizer) -> float:
    """Operations of one forward over a clip of FRAMES_COUNTED frames."""
    copied = copy.deepcopy(tokenizer).cpu().float().eval()  # without what torch.compile has made
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        copied(torch.zeros(1, FRAMES_COUNTED, tokenizer.n_features))
    return float(counter.get_total_flops())
