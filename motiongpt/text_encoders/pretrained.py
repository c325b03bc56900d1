"""Published text encoders, by hub name or from a local folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

from motiongpt.errors import UserError
from motiongpt.preflight import Outlook, checked_by
from motiongpt.pretrained_source import check_source, how_to_fetch
from motiongpt.pretrained_tokenizer import load_tokenizer
from motiongpt.text_encoders.transformers_encoder import (
    CANNOT_LOAD,
    TransformersTextEncoder,
    said,
)
from motiongpt.transformers_classes import transformers_class

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

SOURCE = "text_encoder.source"
INSTEAD = "take text_encoder=small, which learns from the captions"


def _check_published(outlook: Outlook, source: str, **settings: Any) -> list[str]:
    check_source(SOURCE, source, INSTEAD)
    return []


class PretrainedTextEncoder(TransformersTextEncoder):
    """An encoder that others have trained; nothing here changes its weights.

    Class attributes:
        model_types: `model_type` of the configurations that it reads; empty for any.
    """

    model_types: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    @checked_by(_check_published)
    def pretrained(
        cls,
        texts_by_clip: Sequence[Sequence[str]] = (),
        seed: int = 0,
        log: Callable[[str], None] = print,
        *,
        source: str,
        **settings: Any,
    ) -> Self:
        """Open published weights; a `TextEncoderFactory` that needs neither captions nor seed.

        Args:
            source: a name on the Hugging Face hub, or a folder that `save_pretrained` wrote.
            settings: arguments of the constructor besides its parts.

        Raises:
            UserError: it can't be had, or is of another kind.
        """
        log(f"  text encoder: loading {source}")
        return cls(*cls._load_source(source), **settings)

    @classmethod
    def _load_source(cls, source: str) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
        from transformers import AutoConfig

        # of a folder without a configuration transformers guesses the kind by the folder's name
        check_source(SOURCE, source, INSTEAD)
        try:
            found = AutoConfig.from_pretrained(source).model_type
            if cls.model_types and found not in cls.model_types:
                raise UserError(
                    f"text_encoder.source={source} is a {found} model, not "
                    f"{' or '.join(sorted(cls.model_types))}: choose the text_encoder of its kind"
                )
            text_tokenizer = load_tokenizer(source)
            reads = transformers_class(cls.model_class)
            network, loading = reads.from_pretrained(source, output_loading_info=True)
        except CANNOT_LOAD as error:
            raise UserError(
                f"{SOURCE}={source} can't be loaded: {how_to_fetch(source)}, or {INSTEAD} "
                f"({said(error)})"
            ) from error
        _check_weights(source, loading["missing_keys"])
        _check_tokenizer(source, text_tokenizer)
        return network, text_tokenizer


def _check_weights(source: str, missing: Sequence[str]) -> None:
    """Refuse what transformers fills with random numbers; BERT's pooling layer is not used."""
    absent = sorted(name for name in missing if not name.startswith("pooler."))
    if absent:
        raise UserError(
            f"text_encoder.source={source} lacks {len(absent)} weights, {absent[0]} among them, "
            "which would be random: name a complete copy"
        )


def _check_tokenizer(source: str, text_tokenizer: PreTrainedTokenizerBase) -> None:
    if text_tokenizer.pad_token is None or not text_tokenizer("")["input_ids"]:
        raise UserError(
            f"text_encoder.source={source}: its tokenizer has no padding, or no mark that an empty "
            "sentence consists of; choose an encoder of sentences, as conf/text_encoder has"
        )
