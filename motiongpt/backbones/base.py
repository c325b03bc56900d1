"""What every backbone can do: read and write text with motion tokens in it."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from motiongpt.backbones.activations import fuse_activations
from motiongpt.backbones.folder import read_folder, write_folder
from motiongpt.backbones.initialisation import embedding_rows
from motiongpt.backbones.motion_vocabulary import MotionVocabulary
from motiongpt.backbones.padding import Truncation
from motiongpt.errors import UserError
from motiongpt.generation.batched import write_rows
from motiongpt.generation.beams import search_rows
from motiongpt.generation.chance import base_seed, uniform_rows
from motiongpt.generation.constraints import Rows, TokenIds, alike
from motiongpt.generation.decoding import Decoding
from motiongpt.generation.writers.base import Writer
from motiongpt.generation.writers.causal import CausalWriter

LOGITS_AT_ONCE = 2**23  # 32 MiB in float32, and as much for their logarithms and gradients
IGNORED = -100  # label of a position without loss, as in torch's cross entropy


class Example(Protocol):
    """A pair of strings; `motiongpt.tasks` makes them."""

    @property
    def input(self) -> str:
        """The prompt."""
        ...

    @property
    def target(self) -> str:
        """What is to be written."""
        ...


class Backbone(nn.Module, ABC):
    """A language model of transformers, its text tokenizer, and the motion vocabulary.

    Shapes: B rows, L tokens, V rows of the output embedding.
    """

    architecture: ClassVar[str]
    model_class: ClassVar[type[PreTrainedModel]]
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
        self._known_writer: tuple[tuple[object, ...], Writer] | None = None

    def __getstate__(self) -> dict[str, Any]:
        """What is copied, and sent to worker processes: all but what is made again when needed."""
        return {**self.__dict__, "_known_writer": None}

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.language_model.device

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
        head = self.language_model.get_output_embeddings()
        size = max(1, LOGITS_AT_ONCE // len(head.weight))
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

    @torch.inference_mode()
    def generate(
        self,
        prompts: Sequence[str],
        kind: str | Sequence[str] = "motion",
        decoding: Decoding | None = None,
        token_counts: Sequence[int | None] | None = None,
        seed: int | None = None,
    ) -> list[str]:
        """Write an answer to each prompt: motion as start, codes, end; or plain text.

        An answer does not depend on the other rows, but for rounding.

        Args:
            kind: "motion" or "text", for all rows or for each.
            decoding: `Decoding()` by default.
            token_counts: for each row the exact number of codes, or None for a free length.
            seed: makes sampling repeatable; without it the global random state moves on.

        Raises:
            UserError: unknown kind, impossible length, or more than the model has positions for.
        """
        decoding = decoding or Decoding()
        kinds = [kind] * len(prompts) if isinstance(kind, str) else list(kind)
        counts = list(token_counts) if token_counts is not None else [None] * len(prompts)
        if not len(kinds) == len(counts) == len(prompts):
            raise UserError(
                f"{len(prompts)} prompts with {len(kinds)} kinds and {len(counts)} lengths: "
                "give one of each for every prompt"
            )
        if not prompts:
            return []
        rows = Rows.of(kinds, counts, decoding.max_motion_tokens, decoding.max_text_tokens)
        chance = uniform_rows(base_seed(seed), len(prompts), rows.longest())
        written: dict[int, str] = {}
        was_training = self.language_model.training
        self.language_model.eval()
        try:
            for places in alike(prompts, rows, decoding.batch_size):
                some = [prompts[place] for place in places]
                answers = self._generate(some, rows.part(places), chance[places], decoding)
                written.update(zip(places, answers, strict=True))
        finally:
            self.language_model.train(was_training)
        return [written[place] for place in range(len(prompts))]

    def save(self, folder: Path) -> None:
        """Write weights (safetensors), text tokenizer and settings; an old folder is replaced."""
        write_folder(
            Path(folder),
            self.language_model,
            self.text_tokenizer,
            {
                "architecture": self.architecture,
                "codebook_size": self.vocabulary.codebook_size,
                **self._settings(),
            },
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

    @abstractmethod
    def _prompt_batch(self, prompts: Sequence[str]) -> tuple[dict[str, Tensor], int]:
        """Prompts ready for generation, and how many tokens precede the first that is written."""

    @abstractmethod
    def _check_room(self, prompt_length: int, new_tokens: int) -> None:
        """Raise UserError where the model has fewer positions than a generation needs."""

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

    def _generate(
        self, prompts: Sequence[str], rows: Rows, chance: Tensor, decoding: Decoding
    ) -> list[str]:
        """Answers of one batch, all of one kind."""
        inputs, prefix_length = self._prompt_batch(prompts)
        self._check_room(inputs["input_ids"].shape[1], rows.longest())
        inputs = {name: tensor.to(self.device) for name, tensor in inputs.items()}
        ids = self.token_ids
        if decoding.strategy == "beams":
            new = search_rows(self.language_model, inputs, prefix_length, rows, ids, decoding)
        else:
            alphabet = ids.alphabet("motion" if bool(rows.is_motion[0]) else "text")
            writer = self._writer(decoding.precision)
            new = write_rows(writer, inputs, rows, alphabet, chance, decoding)
        return [self._decode(row) for row in new]

    def _writer(self, precision: str) -> Writer:
        """The model laid out for writing; kept until its weights change."""
        weights = self.language_model.parameters()
        state = (precision, *((weight.data_ptr(), weight._version) for weight in weights))
        if self._known_writer is None or self._known_writer[0] != state:
            self._known_writer = state, self._make_writer(precision)
        return self._known_writer[1]

    def _make_writer(self, precision: str) -> Writer:
        """What writes with weights of `precision`; a faster one than transformers' own, if any."""
        return CausalWriter(self.language_model, precision)

    def _decode(self, row: Sequence[int]) -> str:
        text = self.text_tokenizer.decode(
            list(row), skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
        return str(text).strip()

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
