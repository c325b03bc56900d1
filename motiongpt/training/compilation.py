"""torch.compile for the networks of a stage, in place: names of weights and what is saved stay."""

from collections.abc import Iterable

from torch import nn

from motiongpt.backbones.base import Backbone
from motiongpt.tokenizers.vq_vae import VQVAE


def compile_parts(parts: Iterable[nn.Module], backend: str = "inductor") -> None:
    """Compile each module's forward for inputs of any length.

    `Module.compile` keeps the module itself, unlike `torch.compile(module)`, whose weights are
    called `_orig_mod.…`.

    Args:
        backend: a name that torch.compile knows.
    """
    for part in parts:
        part.compile(dynamic=True, backend=backend)


def transformer_parts(backbone: Backbone) -> list[nn.Module]:
    """What a language model spends its time in: the output embedding needs no compiling."""
    model = backbone.language_model
    if model.config.is_encoder_decoder:
        return [model.encoder, model.decoder]
    return [model.transformer]


def tokenizer_parts(tokenizer: nn.Module) -> list[nn.Module]:
    """The convolutions around a quantizer; the quantizer's codebook learns in plain Python."""
    return [tokenizer.encoder, tokenizer.decoder] if isinstance(tokenizer, VQVAE) else [tokenizer]
