"""What decoder-only models share: prompt and output are one sequence, read from left to right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Unpack

from torch import Tensor

from motiongpt.backbones.base import IGNORED, Backbone, Settings
from motiongpt.backbones.motion_vocabulary import MotionVocabulary
from motiongpt.backbones.padding import mask, pad, positions_without
from motiongpt.errors import UserError

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

LABELS = ("target", "all")
SEPARATOR = " \n "  # between prompt and output; MotionGPT's


class LeftToRightSettings(Settings, total=False):
    """What a decoder-only model may be told besides; see `LeftToRight`."""

    labels: str


class LeftToRight(Backbone):
    """A decoder-only model of transformers. Shapes: B rows, L tokens, N labels, D width."""

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
        model = self.language_model
        # Tokens never see the padding behind them: where it has no loss it needs no mask either.
        # Given masks or ids, transformers looks at their content to choose a kernel, or to warn.
        masked = batch["attention_mask"] if self.labels == "all" else None
        read = model.base_model(
            inputs_embeds=model.get_input_embeddings()(batch["input_ids"]),
            attention_mask=masked,
            use_cache=False,
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
        """See `Backbone.check_room`; a model whose configuration names no limit has room."""
        config = self.language_model.config
        positions = getattr(config, "max_position_embeddings", None)
        if positions is not None and prompt_length + new_tokens > positions:
            raise UserError(
                f"{prompt_length} tokens of prompt and {new_tokens} of output don't fit into the "
                f"{positions} positions of this {config.model_type} model: lower max_input_tokens "
                "or the length"
            )

    def _input_closing(self) -> list[int]:
        return self._encode([SEPARATOR])[0]

    def _settings(self) -> dict[str, object]:
        return {**super()._settings(), "labels": self.labels}
