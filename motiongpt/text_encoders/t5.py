"""T5's encoder; a sentence's feature is the mean over its tokens (Ni et al., arXiv:2108.08877)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from torch import Tensor

from motiongpt.text_encoders.pretrained import PretrainedTextEncoder

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


class T5TextEncoder(PretrainedTextEncoder):
    """The encoder of any T5, without its decoder.

    Args:
        max_tokens: the end of text included, which counts in the mean as any token does.
    """

    model_class = "T5EncoderModel"
    model_types = frozenset({"t5"})

    def __init__(
        self,
        network: PreTrainedModel,
        text_tokenizer: PreTrainedTokenizerBase,
        max_tokens: int = 77,
    ) -> None:
        super().__init__(network, text_tokenizer, max_tokens)
        self.width = int(network.config.d_model)

    def features(self, tokens: Mapping[str, Tensor]) -> Tensor:
        """Last states (B, L, D)."""
        return self.network(**tokens).last_hidden_state
