"""What every backbone can do: read and generate text with motion tokens in it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, TypedDict

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from motiongpt.backbones.activations import fuse_activations
from motiongpt.backbones.folder import read_folder, write_folder
from motiongpt.backbones.initialisation import embedding_rows
from motiongpt.backbones.motion_vocabulary import MotionVocabulary
from motiongpt.backbones.padding import Truncation
from motiongpt.backbones.pretrained import load_pretrained
from motiongpt.backbones.steps.base import StepModel
from motiongpt.backbones.steps.causal import CausalSteps
from motiongpt.backbones.steps.unchanged import Unchanged
from motiongpt.backbones.token_ids import TokenIds
from motiongpt.errors import UserError

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

LOGITS_AT_ONCE = 2**23  # 32 MiB in float32, and as much for their logarithms and gradients
IGNORED = -100  # label of a position without loss, as in torch's cross entropy


class Example(Protocol):
    """A pair of strings; `motiongpt.methods.motiongpt.tasks` makes them."""

    @property
    def input(self) -> str:
        """The prompt."""
        ...

    @property
    def target(self) -> str:
        """What is to be generated."""
        ...


class Settings(TypedDict, total=False):
    """What any backbone may be told, new or published; see `Backbone`, which has the defaults."""

    max_input_tokens: int
    max_target_tokens: int
    label_smoothing: float


class Backbone(nn.Module, ABC):
    """A language model of transformers, its text tokenizer, and the motion vocabulary.

    Shapes: B rows, L tokens, V rows of the output embedding.
    """

    architecture: ClassVar[str]
    model_class: ClassVar[str]  # of transformers
    language_model: Any  # a PreTrainedModel that can generate: a type transformers doesn't name

    def __init__(
        self,
        language_model: PreTrainedModel,
        text_tokenizer: PreTrainedTokenizerBase,
        vocabulary: MotionVocabulary,
        max_input_tokens: int = 256,
        max_target_tokens: int = 256,
        label_smoothing: float = 0.0,
    ) -> None:
        """Put together parts that fit; `scratch`, `pretrained` and `load` make them.

        Args:
            max_input_tokens: longer inputs are cut, with a counted warning; 256 is MotionGPT's.
            max_target_tokens: the same for targets; both counts include the end of text.
            label_smoothing: share of the probability spread over all tokens in the loss.

        Raises:
            UserError: the embedding has other rows than the tokenizer has tokens, or the tokenizer
                has the motion tokens of another codebook.
        """
        super().__init__()
        self.language_model = language_model
        fuse_activations(language_model)
        self.text_tokenizer = text_tokenizer
        self.vocabulary = vocabulary
        self.max_input_tokens = max_input_tokens
        self.max_target_tokens = max_target_tokens
        self.label_smoothing = label_smoothing
        self.input_truncation = Truncation("max_input_tokens", max_input_tokens)
        self.target_truncation = Truncation("max_target_tokens", max_target_tokens)
        rows = len(embedding_rows(language_model))
        if rows != len(text_tokenizer):
            raise UserError(
                f"the language model has {rows} embedding rows, its text tokenizer "
                f"{len(text_tokenizer)} tokens: they belong to different runs"
            )
        self.token_ids = self._token_ids()
        self._known_steps: tuple[Unchanged, StepModel] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """What is copied, and sent to worker processes: all but what is made again when needed."""
        return {**self.__dict__, "_known_steps": None}

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.language_model.device

    @classmethod
    def with_published_weights(
        cls,
        source: str,
        codebook_size: int,
        initialisation: str,
        config: Mapping[str, float],
        settings: Mapping[str, Any],
    ) -> Self:
        """Published weights with the motion tokens added; new rows use the global random state.

        Args:
            source: hub name or local folder.
            initialisation: see `initialisation.resize_vocabulary`.
            config: values of the published configuration to override.
            settings: of the constructor.

        Raises:
            UserError: the weights can't be had, or a value makes no sense.
        """
        vocabulary = MotionVocabulary(codebook_size)
        model, text_tokenizer = load_pretrained(
            source, cls.architecture, cls.model_class, vocabulary, initialisation, **config
        )
        return cls(model, text_tokenizer, vocabulary, **settings)

    def encode_inputs(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of inputs as `collate_ids` takes them, cut at `max_input_tokens`."""
        closing = self._input_closing()
        rows = [row + closing for row in self._encode(texts)]
        return [self.input_truncation.cut(row, closing) for row in rows]

    def encode_targets(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of targets, closed by the end of text.

        A target that is cut at `max_target_tokens` has no end: the model must not learn to stop
        there.
        """
        end = [self.token_ids.end_of_text]
        return [self.target_truncation.cut(row + end) for row in self._encode(texts)]

    def collate(self, examples: Sequence[Example]) -> dict[str, Tensor]:
        """Examples as one batch, padded to its longest row; see `collate_ids`."""
        return self.collate_ids(
            self.encode_inputs([example.input for example in examples]),
            self.encode_targets([example.target for example in examples]),
        )

    @abstractmethod
    def collate_ids(
        self, inputs: Sequence[Sequence[int]], targets: Sequence[Sequence[int]]
    ) -> dict[str, Tensor]:
        """Token ids (complete: nothing is added or cut) as a batch for `loss`.

        Gives input_ids and attention_mask (B, L), labels (B, L), -100 where there is no loss, and
        label_positions (N,), where there is one in the flattened labels: known here, so that no
        GPU has to be asked for them.
        """

    @abstractmethod
    def label_states(self, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """What a batch's N labels that count follow from, and these labels (N,).

        Gives hidden states (N, D), ready for the output embedding: padding costs nothing there.
        """

    def logits(self, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Logits (N, V) of a batch at its N labels that count, and these labels (N,)."""
        hidden, labels = self.label_states(batch)
        return self.language_model.get_output_embeddings()(hidden), labels

    def loss(self, batch: dict[str, Tensor]) -> Tensor:
        """Mean cross entropy in nats over the labels of a batch, a scalar."""
        return self.loss_and_count(batch)[0]

    def loss_and_count(self, batch: dict[str, Tensor]) -> tuple[Tensor, int]:
        """The same, and over how many labels it is the mean.

        Logits beyond `LOGITS_AT_ONCE` are computed portion by portion, and once more in the
        backward, so that no more of them are ever in memory.
        """
        hidden, labels = self.label_states(batch)
        size = max(1, LOGITS_AT_ONCE // self.token_ids.vocabulary_size)
        if len(labels) <= size:
            return self._cross_entropy(hidden, labels, "mean"), len(labels)
        portions = [
            checkpoint(
                self._cross_entropy, *some, "sum", use_reentrant=False, preserve_rng_state=False
            )
            for some in zip(hidden.split(size), labels.split(size), strict=True)
        ]
        return torch.stack(portions).sum() / len(labels), len(labels)

    def _cross_entropy(self, hidden: Tensor, labels: Tensor, reduction: str) -> Tensor:
        logits = self.language_model.get_output_embeddings()(hidden)
        # In float32 whatever the precision is: half of it can't tell the losses of a late training.
        return functional.cross_entropy(
            logits.float(), labels, reduction=reduction, label_smoothing=self.label_smoothing
        )

    def cross_attention(self, prompt: str, target: str) -> Tensor | None:
        """How much each of a target's tokens read of each of its prompt's, (L, M) float32.

        Means over layers and heads; rows sum to 1; both end with the end of text. None for a model
        that has no attention from one to the other.
        """
        return None

    @abstractmethod
    def prompt_batch(self, prompts: Sequence[str]) -> tuple[dict[str, Tensor], int]:
        """Prompts ready for generation, and how many tokens precede the first that is generated."""

    @abstractmethod
    def check_room(self, prompt_length: int, new_tokens: int) -> None:
        """Refuse a generation that needs more positions than the model has.

        Raises:
            UserError: says how many it has.
        """

    def step_model(self, precision: str) -> StepModel:
        """The model laid out for single steps; kept until its weights change."""
        weights = list(self.language_model.parameters())
        if self._known_steps is not None:
            before, known = self._known_steps
            if known.precision == precision and before.holds_for(weights):
                return known
        self._known_steps = Unchanged(weights), self._make_step_model(precision)
        return self._known_steps[1]

    def decode_ids(self, row: Sequence[int]) -> str:
        """Token ids as a string, special and motion tokens as they are called."""
        text = self.text_tokenizer.decode(
            list(row), skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
        return str(text).strip()

    def save(self, folder: Path, weights: Mapping[str, Tensor] | None = None) -> None:
        """Write weights (safetensors), text tokenizer and settings; an old folder is replaced.

        Args:
            weights: of the language model, by name, where this process holds a shard of it only.
        """
        write_folder(
            Path(folder),
            lambda new: self._save_model(new, weights),
            self.text_tokenizer,
            self._about(),
        )

    @classmethod
    def load(cls, folder: Path, codebook_size: int | None = None) -> Self:
        """Read what `save` wrote.

        Args:
            codebook_size: the size the caller's motion tokenizer has, if it is to be checked.

        Raises:
            UserError: no saved backbone there, another architecture, or another codebook size.
        """
        language_model, text_tokenizer, settings = read_folder(
            Path(folder), cls.architecture, cls.model_class, codebook_size
        )
        vocabulary = MotionVocabulary(settings.pop("codebook_size"))
        return cls(language_model, text_tokenizer, vocabulary, **settings)

    @classmethod
    def load_merged(cls, folder: Path, codebook_size: int | None = None) -> Self:
        """As `load`, to generate and not to train: what was trained beside weights is in them."""
        return cls.load(folder, codebook_size)

    def _save_model(self, folder: Path, weights: Mapping[str, Tensor] | None) -> None:
        self.language_model.save_pretrained(
            folder / "model", safe_serialization=True, state_dict=weights
        )

    def _about(self) -> dict[str, Any]:
        """What `backbone.json` says."""
        return {
            "architecture": self.architecture,
            "codebook_size": self.vocabulary.codebook_size,
            **self._settings(),
        }

    def _input_closing(self) -> list[int]:
        """Ids that end every input, kept when it is cut."""
        return [self.token_ids.end_of_text]

    def _settings(self) -> dict[str, object]:
        """Arguments of the constructor that `load` gives back to it."""
        return {
            "max_input_tokens": self.max_input_tokens,
            "max_target_tokens": self.max_target_tokens,
            "label_smoothing": self.label_smoothing,
        }

    def _encode(self, texts: Sequence[str]) -> list[list[int]]:
        if not texts:
            return []
        encoded = self.text_tokenizer(list(texts), add_special_tokens=False, verbose=False)
        return list(encoded["input_ids"])

    def _make_step_model(self, precision: str) -> StepModel:
        """Single steps with weights of `precision`; faster than transformers' own, if there are."""
        return CausalSteps(self.language_model, precision)

    def _token_ids(self) -> TokenIds:
        motion = self.vocabulary.token_ids(self.text_tokenizer).tolist()
        end_of_text = self.text_tokenizer.eos_token_id
        never = {*motion, *self.text_tokenizer.all_special_ids} - {end_of_text}
        return TokenIds(
            vocabulary_size=len(self.text_tokenizer),
            codes=tuple(motion[: self.vocabulary.codebook_size]),
            start=motion[self.vocabulary.start],
            end=motion[self.vocabulary.end],
            end_of_text=end_of_text,
            never_in_text=tuple(sorted(never)),
        )
