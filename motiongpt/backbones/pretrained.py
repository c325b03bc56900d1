"""Published weights, by hub name or from a local folder."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from motiongpt.backbones.initialisation import resize_vocabulary
from motiongpt.backbones.motion_vocabulary import MotionVocabulary
from motiongpt.backbones.text_tokenizer import add_motion_tokens
from motiongpt.errors import UserError
from motiongpt.preflight import Outlook
from motiongpt.pretrained_source import check_source, how_to_fetch
from motiongpt.pretrained_tokenizer import load_tokenizer
from motiongpt.transformers_classes import transformers_class

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

OPTION = "backbone.source"


def check_published(architecture: str, outlook: Outlook, source: str, **settings: Any) -> list[str]:
    """See that `load_pretrained` will find `source`; the arguments are those of `pretrained`.

    Raises:
        UserError: it can't be had, or is of another architecture.
    """
    found = check_source(OPTION, source, from_scratch(architecture))
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

    def check(found: PretrainedConfig) -> None:
        _check_kind(source, architecture, found.model_type)

    instead = from_scratch(architecture)
    model, text_tokenizer = read_published(source, model_class, check, instead, OPTION, **config)
    extend_vocabulary(model, text_tokenizer, vocabulary, initialisation)
    return model, text_tokenizer


def read_published(
    source: str,
    model_class: str,
    check: Callable[[PretrainedConfig], None],
    instead: str,
    option: str = OPTION,
    **options: Any,
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Model and text tokenizer as they were published.

    Args:
        source: a name on the Hugging Face hub, or a folder that `save_pretrained` wrote.
        model_class: of transformers.
        check: raises `UserError` where the configuration is of a model that is not wanted.
        instead: what else may be done, in words.
        option: that names the source.
        options: of the class's `from_pretrained`.

    Raises:
        UserError: it can't be had, or some of its weights are absent.
    """
    from safetensors import SafetensorError
    from transformers import AutoConfig

    try:
        check(AutoConfig.from_pretrained(source))
        text_tokenizer = load_tokenizer(source)
        model, loading = transformers_class(model_class).from_pretrained(
            source, output_loading_info=True, **options
        )
    except (OSError, ValueError, ImportError, RuntimeError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(
            f"{option}={source} can't be loaded: {how_to_fetch(source)}, or {instead} ({reason})"
        ) from error
    if missing := sorted(loading["missing_keys"]):
        raise UserError(
            f"{option}={source} lacks {len(missing)} weights, {missing[0]} among them, which would "
            "be random: name a complete copy"
        )
    return model, text_tokenizer


def extend_vocabulary(
    model: PreTrainedModel,
    text_tokenizer: PreTrainedTokenizerBase,
    vocabulary: MotionVocabulary,
    initialisation: str,
) -> list[int]:
    """Add the motion tokens to both, and a mark of the end where the tokenizer has none.

    Returns:
        Ids of the tokens that are new: the motion tokens in order, then others.

    Raises:
        UserError: unknown `initialisation`, or motion tokens of another codebook.
    """
    before = set(text_tokenizer.get_vocab().values())
    add_motion_tokens(text_tokenizer, vocabulary)
    motion = vocabulary.token_ids(text_tokenizer).tolist()
    added = set(text_tokenizer.get_vocab().values()) - before - set(motion)
    new_ids = [*motion, *sorted(added)]
    resize_vocabulary(model, len(text_tokenizer), new_ids, initialisation)
    model.config.pad_token_id = text_tokenizer.pad_token_id
    return new_ids


def from_scratch(architecture: str) -> str:
    """What needs no published weights, in words."""
    return f"take backbone={architecture}_tiny, which is trained from scratch"


def _check_kind(source: str, architecture: str, found: str) -> None:
    if found != architecture:
        raise UserError(
            f"{OPTION}={source} is a {found} model, not {architecture}: "
            "choose the backbone group of its kind"
        )
