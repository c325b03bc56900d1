"""Sentence encoders (Reimers and Gurevych, EMNLP 2019): encoders of transformers, mean pooled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from torch import Tensor
from torch.nn import functional

from motiongpt.errors import UserError
from motiongpt.text_encoders.pretrained import PretrainedTextEncoder

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


class SentenceTextEncoder(PretrainedTextEncoder):
    """BERT, MPNet, RoBERTa, DistilBERT … as sentence-transformers use them.

    Args:
        max_tokens: the marks of start and end included, which count in the mean as words do.
        normalise: whether sentences get features of length 1; tokens do not.

    Raises:
        UserError: a model with a decoder, or of more than text.
    """

    model_class = "AutoModel"

    def __init__(
        self,
        network: PreTrainedModel,
        text_tokenizer: PreTrainedTokenizerBase,
        max_tokens: int = 384,
        normalise: bool = True,
    ) -> None:
        config = network.config
        if config.is_encoder_decoder or hasattr(config, "text_config"):
            raise UserError(
                f"text_encoder.source is a {config.model_type} model, no encoder of text alone: "
                "take text_encoder=t5 or text_encoder=clip for these kinds"
            )
        super().__init__(network, text_tokenizer, max_tokens)
        self.normalise = normalise
        self.width = int(config.hidden_size)

    def features(self, tokens: Mapping[str, Tensor]) -> Tensor:
        """Last states (B, L, D)."""
        return self.network(**tokens).last_hidden_state

    def pool(self, features: Tensor, mask: Tensor) -> Tensor:
        """Mean (B, D) over tokens, of length 1 where asked for."""
        mean = super().pool(features, mask)
        return functional.normalize(mean, dim=-1) if self.normalise else mean

    def settings(self) -> dict[str, Any]:
        """See `TransformersTextEncoder.settings`."""
        return {**super().settings(), "normalise": self.normalise}
