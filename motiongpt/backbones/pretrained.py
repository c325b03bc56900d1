"""Published weights, by hub name or from a local folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from motiongpt.backbones.initialisation import resize_vocabulary
from motiongpt.backbones.motion_vocabulary import MotionVocabulary
from motiongpt.backbones.text_tokenizer import add_motion_tokens
from motiongpt.errors import UserError
from motiongpt.preflight import Outlook
from motiongpt.pretrained_source import check_source
from motiongpt.pretrained_tokenizer import load_tokenizer
from motiongpt.transformers_classes import transformers_class

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def check_published(architecture: str, outlook: Outlook, source: str, **settings: Any) -> list[str]:
    """See that `load_pretrained` will find `source`; the arguments are those of `pretrained`.

    Raises:
        UserError: it can't be had, or is of another architecture.
    """
    found = check_source("backbone.source", source, _from_scratch(architecture))
    _check_kind(source, architecture, found or architecture)
    return []


def load_pretrained(
    source: str,
    architecture: str,
    model_class: str,
    vocabulary: MotionVocabulary,
    initialisation: str,
    **config: float,
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Model and text tokenizer of `source`, with the motion tokens added to both.

    Args:
        source: a name on the Hugging Face hub, or a folder that `save_pretrained` wrote.
        config: values of the model's configuration to override.

    Raises:
        UserError: it can't be had, is of another architecture, or its tokenizer already has the
            motion tokens of another codebook.
    """
    from transformers import AutoConfig

    try:
        found = AutoConfig.from_pretrained(source).model_type
        _check_kind(source, architecture, found)
        text_tokenizer = load_tokenizer(source)
        model = transformers_class(model_class).from_pretrained(source, **config)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(
            f"backbone.source={source} can't be loaded: download it elsewhere and pass its folder, "
            f"or {_from_scratch(architecture)} ({reason})"
        ) from error
    add_motion_tokens(text_tokenizer, vocabulary)
    new_ids = vocabulary.token_ids(text_tokenizer).tolist()
    resize_vocabulary(model, len(text_tokenizer), new_ids, initialisation)
    model.config.pad_token_id = text_tokenizer.pad_token_id
    return model, text_tokenizer


def _check_kind(source: str, architecture: str, found: str) -> None:
    if found != architecture:
        raise UserError(
            f"backbone.source={source} is a {found} model, not {architecture}: "
            "choose the backbone group of its kind"
        )


def _from_scratch(architecture: str) -> str:
    return f"take backbone={architecture}_tiny, which is trained from scratch"
