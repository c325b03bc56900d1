"""GPT-2: prompt and output are one sequence, generated from left to right."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Self, Unpack

from torch import Tensor

from motiongpt.backbones.base import IGNORED, Backbone, Settings
from motiongpt.backbones.motion_vocabulary import MotionVocabulary
from motiongpt.backbones.padding import mask, pad, positions_without
from motiongpt.backbones.pretrained import check_published
from motiongpt.backbones.text_tokenizer import train_with_motion_tokens
from motiongpt.errors import UserError
from motiongpt.preflight import checked_by

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

LABELS = ("target", "all")
SEPARATOR = " \n "  # between prompt and output; MotionGPT's


class GPT2Settings(Settings, total=False):
    """What a GPT-2 may be told besides; see `GPT2Backbone`."""

    labels: str


class GPT2Backbone(Backbone):
    """Any GPT-2 of transformers: gpt2, gpt2-medium …, or a small one from scratch."""

    architecture = "gpt2"
    model_class = "GPT2LMHeadModel"

    def __init__(
        self,
        language_model: PreTrainedModel,
        text_tokenizer: PreTrainedTokenizerBase,
        vocabulary: MotionVocabulary,
        labels: str = "target",
        **settings: Unpack[Settings],
    ) -> None:
        """As `Backbone`, and which tokens have a loss.

        Args:
            labels: "target", or "all": prompt and padding too, as MotionGPT's released code.

        Raises:
            UserError: unknown `labels`, or fewer positions than the longest sequence needs.
        """
        if labels not in LABELS:
            raise UserError(f"labels={labels} is unknown: choose one of {', '.join(LABELS)}")
        super().__init__(language_model, text_tokenizer, vocabulary, **settings)
        self.labels = labels
        self.check_room(self.max_input_tokens, self.max_target_tokens)

    @classmethod
    @checked_by(partial(check_published, "gpt2"))
    def pretrained(
        cls,
        source: str,
        codebook_size: int,
        texts: Sequence[str] = (),
        initialisation: str = "normal",
        **settings: Unpack[GPT2Settings],
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
        **settings: Unpack[GPT2Settings],
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

    def collate_ids(
        self, inputs: Sequence[Sequence[int]], targets: Sequence[Sequence[int]]
    ) -> dict[str, Tensor]:
        """Input and target as one sequence, padded on the right."""
        rows = [[*start, *end] for start, end in zip(inputs, targets, strict=True)]
        input_ids = pad(rows, self.text_tokenizer.pad_token_id)
        labels = input_ids.clone()
        if self.labels == "target":
            hidden = [[IGNORED] * len(start) for start in inputs]
            shown = [[*start, *end] for start, end in zip(hidden, targets, strict=True)]
            labels = pad(shown, IGNORED)
        predicted = labels.clone()
        predicted[:, :1] = IGNORED  # nothing comes before the first token
        return {
            "input_ids": input_ids,
            "attention_mask": mask(rows),
            "labels": labels,
            "label_positions": positions_without(predicted, IGNORED),
        }

    def label_states(self, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """States (N, D) at the positions before the N labels, and these (N,)."""
        model = self.language_model.transformer
        # Tokens never see the padding behind them: where it has no loss it needs no mask either.
        # Given masks or ids, transformers looks at their content to choose a kernel, or to warn.
        masked = batch["attention_mask"] if self.labels == "all" else None
        read = model(
            inputs_embeds=model.wte(batch["input_ids"]), attention_mask=masked, use_cache=False
        )
        positions = batch["label_positions"]
        hidden = read.last_hidden_state.flatten(0, 1).index_select(0, positions - 1)
        labels = batch["labels"].flatten().index_select(0, positions)
        return hidden, labels

    def prompt_batch(self, prompts: Sequence[str]) -> tuple[dict[str, Tensor], int]:
        """See `Backbone.prompt_batch`."""
        rows = self.encode_inputs(prompts)
        inputs = pad(rows, self.text_tokenizer.pad_token_id, left=True)
        return {"input_ids": inputs, "attention_mask": mask(rows, left=True)}, inputs.shape[1]

    def check_room(self, prompt_length: int, new_tokens: int) -> None:
        """See `Backbone.check_room`."""
        positions = self.language_model.config.n_positions
        if prompt_length + new_tokens > positions:
            raise UserError(
                f"{prompt_length} tokens of prompt and {new_tokens} of output don't fit into the "
                f"{positions} positions of this GPT-2: lower max_input_tokens or the length"
            )

    def _input_closing(self) -> list[int]:
        return self._encode([SEPARATOR])[0]

    def _settings(self) -> dict[str, object]:
        return {**super()._settings(), "labels": self.labels}
