"""T5: an encoder reads the prompt, a decoder generates the output."""

from collections.abc import Sequence
from functools import partial
from typing import Self, Unpack

import torch
from torch import Tensor

from motiongpt.backbones.base import IGNORED, Backbone, Settings
from motiongpt.backbones.motion_vocabulary import MotionVocabulary
from motiongpt.backbones.padding import mask, pad, positions_without
from motiongpt.backbones.pretrained import check_published
from motiongpt.backbones.steps.base import StepModel
from motiongpt.backbones.steps.t5 import T5Steps, output_scale
from motiongpt.backbones.text_tokenizer import train_with_motion_tokens
from motiongpt.preflight import checked_by


class T5Backbone(Backbone):
    """Any T5 of transformers: t5-*, flan-t5-*, or a small one from scratch."""

    architecture = "t5"
    model_class = "T5ForConditionalGeneration"

    @classmethod
    @checked_by(partial(check_published, "t5"))
    def pretrained(
        cls,
        source: str,
        codebook_size: int,
        texts: Sequence[str] = (),
        initialisation: str = "normal",
        dropout: float = 0.1,
        **settings: Unpack[Settings],
    ) -> Self:
        """See `Backbone.with_published_weights`.

        Args:
            texts: not needed, because the text tokenizer comes with the weights.
            dropout: share of activations dropped in training; 0.1 as T5 was trained.
        """
        config = {"dropout_rate": dropout}
        return cls.with_published_weights(source, codebook_size, initialisation, config, settings)

    @classmethod
    def scratch(
        cls,
        codebook_size: int,
        texts: Sequence[str],
        width: int = 128,
        feed_forward_width: int = 256,
        encoder_layers: int = 3,
        decoder_layers: int = 3,
        heads: int = 4,
        activation: str = "gated-gelu",
        dropout: float = 0.0,
        text_tokens: int = 1536,
        **settings: Unpack[Settings],
    ) -> Self:
        """A new model with random weights, from the global random state; embeddings are tied.

        Args:
            texts: captions and prompts to train the text tokenizer on.
            activation: "relu" (T5) or "gated-gelu" (T5 1.1 and flan-T5).
            text_tokens: most tokens of the text tokenizer, before motion tokens.

        Raises:
            UserError: no texts.
        """
        from transformers import T5Config, T5ForConditionalGeneration

        vocabulary = MotionVocabulary(codebook_size)
        text_tokenizer = train_with_motion_tokens(texts, text_tokens, vocabulary)
        config = T5Config(
            vocab_size=len(text_tokenizer),
            d_model=width,
            d_kv=width // heads,
            d_ff=feed_forward_width,
            num_layers=encoder_layers,
            num_decoder_layers=decoder_layers,
            num_heads=heads,
            feed_forward_proj=activation,
            dropout_rate=dropout,
            tie_word_embeddings=True,
            pad_token_id=text_tokenizer.pad_token_id,
            eos_token_id=text_tokenizer.eos_token_id,
            decoder_start_token_id=text_tokenizer.pad_token_id,
        )
        return cls(T5ForConditionalGeneration(config), text_tokenizer, vocabulary, **settings)

    def collate_ids(
        self, inputs: Sequence[Sequence[int]], targets: Sequence[Sequence[int]]
    ) -> dict[str, Tensor]:
        """Inputs for the encoder and labels for the decoder, each padded to its longest row."""
        labels = pad(targets, IGNORED)
        return {
            "input_ids": pad(inputs, self.text_tokenizer.pad_token_id),
            "attention_mask": mask(inputs),
            "labels": labels,
            "label_positions": positions_without(labels, IGNORED),
        }

    def label_states(self, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """The decoder's states (N, D) at the N labels, and these (N,)."""
        model, labels = self.language_model, batch["labels"]
        read = model.encoder(batch["input_ids"], attention_mask=batch["attention_mask"])
        decoded = model.decoder(
            input_ids=model.prepare_decoder_input_ids_from_labels(labels),
            encoder_hidden_states=read.last_hidden_state,
            encoder_attention_mask=batch["attention_mask"],
            use_cache=False,
        )
        positions = batch["label_positions"]
        hidden = decoded.last_hidden_state.flatten(0, 1).index_select(0, positions)
        scale = output_scale(model)
        hidden = hidden if scale == 1.0 else hidden * scale
        return hidden, labels.flatten().index_select(0, positions)

    @torch.no_grad()
    def cross_attention(self, prompt: str, target: str) -> Tensor:
        """See `Backbone.cross_attention`."""
        model = self.language_model
        made = self.collate_ids(self.encode_inputs([prompt]), self.encode_targets([target]))
        batch = {name: tensor.to(self.device) for name, tensor in made.items()}
        read = model.encoder(batch["input_ids"], attention_mask=batch["attention_mask"])
        decoded = model.decoder(
            input_ids=model.prepare_decoder_input_ids_from_labels(batch["labels"]),
            encoder_hidden_states=read.last_hidden_state,
            encoder_attention_mask=batch["attention_mask"],
            use_cache=False,
            output_attentions=True,
        )
        layers = torch.stack(decoded.cross_attentions)  # layers, 1, heads, L, M
        return layers.float().mean((0, 2))[0]

    def prompt_batch(self, prompts: Sequence[str]) -> tuple[dict[str, Tensor], int]:
        """See `Backbone.prompt_batch`."""
        rows = self.encode_inputs(prompts)
        inputs = pad(rows, self.text_tokenizer.pad_token_id)
        return {"input_ids": inputs, "attention_mask": mask(rows)}, 1

    def _make_step_model(self, precision: str) -> StepModel:
        return T5Steps(self.language_model, precision)

    def check_room(self, prompt_length: int, new_tokens: int) -> None:
        """T5's positions are relative: there is always room."""
