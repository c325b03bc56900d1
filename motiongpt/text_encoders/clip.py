"""CLIP's text model (Radford et al., ICML 2021): what T2M-GPT, MDM, MLD and MoMask read with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor

from motiongpt.errors import UserError
from motiongpt.text_encoders.pretrained import PretrainedTextEncoder

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Padding = Literal["max_length", "longest"]
PADDINGS = ("max_length", "longest")


class CLIPTextEncoder(PretrainedTextEncoder):
    """Features in the space that CLIP shares with pictures, not normalised.

    A sentence's feature is that of its closing token, which sees all before it. Tokens are
    projected in the same way. Attention is causal, so padding changes neither.

    Args:
        max_tokens: start and end included; 77 is all that CLIP has positions for.
        padding: "max_length" always reads `max_tokens` tokens, as the original; "longest" only as
            many as the batch needs, which is faster and gives the same up to rounding.

    Raises:
        UserError: another way of padding.
    """

    model_class = "CLIPTextModelWithProjection"
    model_types = frozenset({"clip", "clip_text_model"})

    def __init__(
        self,
        network: PreTrainedModel,
        text_tokenizer: PreTrainedTokenizerBase,
        max_tokens: int = 77,
        padding: Padding = "max_length",
    ) -> None:
        if padding not in PADDINGS:
            raise UserError(
                f"text_encoder.padding={padding}: no such way; valid: {', '.join(PADDINGS)}"
            )
        super().__init__(network, text_tokenizer, max_tokens)
        self.padding = padding
        self.width = int(network.config.projection_dim)

    def tokens(self, texts: Any, padding: str | None = None) -> dict[str, Tensor]:
        """See `TransformersTextEncoder.tokens`; padded as the encoder was told to."""
        return super().tokens(texts, padding or self.padding)

    def features(self, tokens: Mapping[str, Tensor]) -> Tensor:
        """Projected states (B, L, D). Padding needs no mask: it stands behind all that looks."""
        states = self.network.text_model(tokens["input_ids"]).last_hidden_state
        return self.network.text_projection(states)

    def pool(self, features: Tensor, mask: Tensor) -> Tensor:
        """Features (B, D) of the closing tokens."""
        last = mask.sum(1) - 1
        return features[torch.arange(len(features), device=features.device), last]

    def settings(self) -> dict[str, Any]:
        """See `TransformersTextEncoder.settings`."""
        return {**super().settings(), "padding": self.padding}
