"""What a language model spends its time in: parts to compile, operations of a training step."""

from weakref import WeakKeyDictionary

from torch import nn

from motiongpt.backbones.base import Backbone
from motiongpt.training.step_cost import FORWARD_AND_BACKWARD

_parameters: WeakKeyDictionary[Backbone, tuple[int, int, int]] = WeakKeyDictionary()


def transformer_parts(backbone: Backbone) -> list[nn.Module]:
    """The parts worth compiling: the output embedding is not."""
    model = backbone.language_model
    if model.config.is_encoder_decoder:
        return [model.encoder, model.decoder]
    return [model.base_model]


def language_flops(backbone: Backbone, input_tokens: int, target_tokens: int) -> float:
    """6 x parameters x tokens (arXiv:2001.08361, section 2.1), the output embedding at labels only.

    The products of attention between tokens, below 5 % at some hundred tokens, are left out.
    """
    if backbone not in _parameters:
        _parameters[backbone] = _parameters_by_use(backbone)
    inputs, targets, labels = _parameters[backbone]
    used = inputs * input_tokens + (targets + labels) * target_tokens
    return 2.0 * FORWARD_AND_BACKWARD * used


def _parameters_by_use(backbone: Backbone) -> tuple[int, int, int]:
    """Parameters that multiply an input token, a target token, a label."""
    model = backbone.language_model
    output = backbone.token_ids.vocabulary_size * model.config.hidden_size
    if model.config.is_encoder_decoder:
        return _without_embeddings(model.encoder), _without_embeddings(model.decoder), output
    inner = _without_embeddings(model.base_model)
    return inner, inner, output


def _without_embeddings(module: nn.Module) -> int:
    tables = {
        id(parameter)
        for part in module.modules()
        if isinstance(part, nn.Embedding)
        for parameter in part.parameters()
    }
    return sum(p.numel() for p in module.parameters() if id(p) not in tables)
