"""Text encoders made of a model of transformers and its tokenizer, whoever trained them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from safetensors import SafetensorError
from torch import Tensor

from motiongpt.errors import UserError
from motiongpt.pretrained_tokenizer import load_tokenizer
from motiongpt.text_encoders.base import TextEncoder
from motiongpt.transformers_classes import transformers_class

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

MODEL, TOKENIZER = "model", "text_tokenizer"
CANNOT_LOAD = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    RuntimeError,
    SafetensorError,
)
"""What transformers raises of files that are absent, damaged or of another shape."""
_POSITIONS_BEHIND_PADDING = frozenset({"roberta", "xlm-roberta", "camembert", "mpnet"})


class TransformersTextEncoder(TextEncoder):
    """Holds the network and the tokenizer, saves and loads them.

    Class attributes:
        model_class: of transformers, that reads the weights; has `from_pretrained`.
    """

    model_class: ClassVar[str]
    network: Any  # a PreTrainedModel: its output's type differs by architecture

    def __init__(
        self, network: PreTrainedModel, text_tokenizer: PreTrainedTokenizerBase, max_tokens: int
    ) -> None:
        """Put together parts that fit.

        Args:
            max_tokens: longer sentences are cut there, or where the model's positions end.

        Raises:
            UserError: no room for a single word between the marks of start and end.
        """
        super().__init__()
        self.network, self.text_tokenizer = network.float(), text_tokenizer
        self.max_tokens = min(max_tokens, _room(network.config, text_tokenizer))
        if self.max_tokens <= text_tokenizer.num_special_tokens_to_add():
            raise UserError(
                f"text_encoder.max_tokens={max_tokens} leaves no room for a word: take more"
            )
        self.requires_grad_(False)
        self.eval()

    @abstractmethod
    def features(self, tokens: Mapping[str, Tensor]) -> Tensor:
        """Features (B, L, D) of the tokens that `tokens` gives."""

    def read(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """See `TextEncoder.read`."""
        tokens = self.tokens(texts)
        return self.features(tokens), tokens["attention_mask"].bool()

    def tokens(self, texts: Sequence[str], padding: str = "longest") -> dict[str, Tensor]:
        """input_ids and attention_mask (B, L), on the encoder's device."""
        found = self.text_tokenizer(
            list(texts),
            padding=padding,
            truncation=True,
            max_length=self.max_tokens,
            return_tensors="pt",
        )
        return {name: found[name].to(self.device) for name in ("input_ids", "attention_mask")}

    def settings(self) -> dict[str, Any]:
        """Arguments of the constructor besides its parts."""
        return {"max_tokens": self.max_tokens}

    def save_parts(self, folder: Path) -> None:
        """Weights as safetensors, and the tokenizer's files."""
        self.network.save_pretrained(folder / MODEL, safe_serialization=True)
        self.text_tokenizer.save_pretrained(folder / TOKENIZER)

    @classmethod
    def load(cls, folder: Path, settings: dict[str, Any]) -> Self:
        """See `TextEncoder.load`."""
        try:
            reads = transformers_class(cls.model_class)
            network = reads.from_pretrained(folder / MODEL, local_files_only=True)
            tokenizer = load_tokenizer(folder / TOKENIZER, local_files_only=True)
            return cls(network, tokenizer, **settings)
        except CANNOT_LOAD as error:
            raise UserError(
                f"the text encoder in {folder} can't be read: run its stage again ({said(error)})"
            ) from error


def said(error: Exception) -> str:
    """The beginning of an error's message, on one line."""
    return " ".join(str(error).split())[:200]


def _room(config: Any, text_tokenizer: PreTrainedTokenizerBase) -> int:
    """Tokens that a model has positions for; RoBERTa's kind counts from behind the padding's id."""
    limit = int(text_tokenizer.model_max_length)
    positions = getattr(config, "max_position_embeddings", None)
    if positions is None:
        return limit
    first = config.pad_token_id + 1 if config.model_type in _POSITIONS_BEHIND_PADDING else 0
    return min(limit, int(positions) - first)
