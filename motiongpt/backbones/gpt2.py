"""GPT-2, published or a small one from scratch."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Self, Unpack

from motiongpt.backbones.left_to_right import LeftToRight, LeftToRightSettings
from motiongpt.backbones.motion_vocabulary import MotionVocabulary
from motiongpt.backbones.pretrained import check_published
from motiongpt.backbones.text_tokenizer import train_with_motion_tokens
from motiongpt.preflight import checked_by


class GPT2Backbone(LeftToRight):
    """Any GPT-2 of transformers: gpt2, gpt2-medium …, or a small one from scratch."""

    architecture = "gpt2"
    model_class = "GPT2LMHeadModel"

    @classmethod
    @checked_by(partial(check_published, "gpt2"))
    def pretrained(
        cls,
        source: str,
        codebook_size: int,
        texts: Sequence[str] = (),
        initialisation: str = "normal",
        **settings: Unpack[LeftToRightSettings],
    ) -> Self:
        """See `Backbone.with_published_weights`.

        Args:
            texts: not needed, because the text tokenizer comes with the weights.
        """
        return cls.with_published_weights(source, codebook_size, initialisation, {}, settings)

    @classmethod
    def scratch(
        cls,
        codebook_size: int,
        texts: Sequence[str],
        width: int = 128,
        layers: int = 4,
        heads: int = 4,
        positions: int = 544,
        dropout: float = 0.0,
        text_tokens: int = 1536,
        **settings: Unpack[LeftToRightSettings],
    ) -> Self:
        """A new model with random weights, from the global random state; embeddings are tied.

        Args:
            texts: captions and prompts to train the text tokenizer on.
            positions: most tokens of prompt and output together.
            text_tokens: most tokens of the text tokenizer, before motion tokens.

        Raises:
            UserError: no texts, or too few positions.
        """
        from transformers import GPT2Config, GPT2LMHeadModel

        vocabulary = MotionVocabulary(codebook_size)
        text_tokenizer = train_with_motion_tokens(texts, text_tokens, vocabulary)
        config = GPT2Config(
            vocab_size=len(text_tokenizer),
            n_positions=positions,
            n_embd=width,
            n_layer=layers,
            n_head=heads,
            resid_pdrop=dropout,
            embd_pdrop=dropout,
            attn_pdrop=dropout,
            pad_token_id=text_tokenizer.pad_token_id,
            bos_token_id=text_tokenizer.eos_token_id,
            eos_token_id=text_tokenizer.eos_token_id,
        )
        return cls(GPT2LMHeadModel(config), text_tokenizer, vocabulary, **settings)
